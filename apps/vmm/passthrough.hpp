// SPDX-License-Identifier: BSD-2-Clause
//
// What VMs are given of the machine: memory at its own address, taken before anybody else gets memory there, and devices, judged by the
// machine's device tree. Says in the log why something cannot be given.
//
// Threads: the boot CPU, before any VM runs.
#pragma once

#include <hosts/el2/host.hpp>
#include <hosts/el2/platform/passed_registers.hpp>
#include <hosts/el2/vcpu/passed_irqs.hpp>
#include <sel4vm/machine/arm/virt_machine.hpp>

#include <array>

namespace sel4vm::vmm {

/// The devices of one VM.
struct GivenDevices {
    OwnedArray<aarch64::PassedDevice> devices;
    Owned<el2::PassedIrqs> irqs;
};

class Passthrough {
public:
    Passthrough(el2::Host &host, Log &log, const machine::SystemDescription &system)
        : host_(host), log_(log), system_(system) {}
    Passthrough(const Passthrough &) = delete;
    Passthrough &operator=(const Passthrough &) = delete;

    /// Takes the memory that is one to one, of all VMs.
    [[nodiscard]] bool reserve_memory();
    /// Of a VM, by the number of the region.
    [[nodiscard]] std::span<const RamBlock> memory_of(usize vm) const {
        return std::span<const RamBlock>(memory_[vm]).first(system_.vms[vm].memory.size());
    }

    /// Whether any VM has devices.
    [[nodiscard]] bool is_wanted() const;
    [[nodiscard]] el2::PassedIrqTable &interrupts() { return share_.table; }
    /// Finds those of one VM.
    [[nodiscard]] bool find(usize vm, std::span<const Owned<el2::Vcpu>> vcpus, GivenDevices &given);
    [[nodiscard]] machine::PassedParts parts(const GivenDevices &given);

private:
    [[nodiscard]] bool find_one(usize vm, usize index, aarch64::PassedDevice &device);
    [[nodiscard]] bool is_free(const aarch64::PassedDevice &device) const;
    [[nodiscard]] bool refuse(usize vm, std::string_view list, usize index, std::string_view text);

    el2::Host &host_;
    Log &log_;
    const machine::SystemDescription &system_;
    std::array<std::array<RamBlock, machine::kMaxMemoryRegions>, machine::kMaxVms> memory_{};
    el2::PassedIrqShare share_;
    el2::PassedRegisters registers_;
    /// Of the VMs before the one that is looked at.
    FixedVector<const GivenDevices *, machine::kMaxVms> others_;
};

} // namespace sel4vm::vmm
