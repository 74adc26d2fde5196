// SPDX-License-Identifier: BSD-2-Clause
//
// The ports of one vCPU of an Arm host. What a host does by itself it gives no port for: that is said, not imitated.
#pragma once

#include <sel4vm/arch/aarch64/ports/list_register_port.hpp>
#include <sel4vm/arch/aarch64/ports/pmu_port.hpp>
#include <sel4vm/arch/aarch64/ports/timer_port.hpp>
#include <sel4vm/host/vcpu_port.hpp>

namespace sel4vm::aarch64 {

struct VcpuPorts {
    VcpuPort *vcpu = nullptr;
    ListRegisterPort *list_registers = nullptr; ///< nullptr: the host has an interrupt controller of its own
    TimerPort *timer = nullptr; ///< nullptr, only with such a controller: the guest's counter is as the host has it
    /// nullptr: the hardware has no counters that the host could lend, or the host deals with them by itself.
    PmuPort *pmu = nullptr;
};

} // namespace sel4vm::aarch64
