// SPDX-License-Identifier: BSD-2-Clause
//
// What the examples of docs/reference take for granted: one object of each kind, as parameters of the function that each
// example becomes.
#pragma once

#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/machine/description.hpp>
#include <sel4vm/vm/device_work.hpp>
#include <sel4vm/vm/executor.hpp>
#include <sel4vm/vm/timeout.hpp>
#include <sel4vm/vm/vm.hpp>

#include <memory>
#include <span>

#define SEL4VM_REFERENCE_BEGIN namespace sel4vm::reference {
#define SEL4VM_REFERENCE_END   }
#define SEL4VM_REFERENCE_PARAMETERS                                                                                   \
    [[maybe_unused]] Vm &vm, [[maybe_unused]] Vcpu &vcpu, [[maybe_unused]] VcpuPort &port,                            \
        [[maybe_unused]] Allocator &allocator, [[maybe_unused]] Log &log, [[maybe_unused]] Clock &clock,              \
        [[maybe_unused]] Entropy &entropy, [[maybe_unused]] ByteSink &output, [[maybe_unused]] GuestSpacePort &space, \
        [[maybe_unused]] EventPort &events, [[maybe_unused]] ExecutorListener &listener,                              \
        [[maybe_unused]] IrqRouter &irqs, [[maybe_unused]] IrqLine line, [[maybe_unused]] TimeoutQueue &timeouts,     \
        [[maybe_unused]] WorkTurns &work, [[maybe_unused]] MmioDevice &device, [[maybe_unused]] Event &event,         \
        [[maybe_unused]] machine::MachineDescription &description,                                                    \
        [[maybe_unused]] std::span<const std::span<const u8>> blobs, [[maybe_unused]] std::span<const u8> file,       \
        [[maybe_unused]] std::span<u8> buffer
