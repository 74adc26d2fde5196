// SPDX-License-Identifier: BSD-2-Clause
//
// The example of docs/gic.md: what it takes to give a VM an interrupt controller. machine/arm/platform.cpp does the same for a whole board.
#pragma once

#include <sel4vm/dev/arm/gic/gic.hpp>
#include <sel4vm/vm/vm.hpp>

namespace sel4vm::example {

// [docs/gic.md]
/// The GIC of a VM with one vCPU; false when something of it does not fit.
inline bool add_gic(Vm &vm, dev::Gic &gic, Allocator &allocator, Vcpu &vcpu, aarch64::ListRegisterPort &list_registers,
                    aarch64::TimerPort &timer) {
    const auto at = [&vm](u64 base, u64 size_bytes, MmioDevice &frame) {
        const auto range = GpaRange::make(Gpa{base}, size_bytes);
        return range && vm.attach(*range, frame).has_value();
    };
    if (!gic.init(allocator)) // all memory that it will ever use
        return false;
    if (!gic.attach(vcpu, list_registers, timer)) // each vCPU, in their order
        return false;
    vm.set_interrupts(gic, &gic);
    if (!at(0x0800'0000, gic.distributor_bytes(), gic.distributor()))
        return false;
    if (gic.version() == dev::GicVersion::v3)
        return gic.register_all(vm.system_registers()) &&
               at(0x080a'0000, gic.redistributor_bytes(), gic.redistributors());
    return !gic.handles_deactivation() || // the second page of the GICC, whose first is the hardware's GICV
           at(0x0801'0000 + dev::Gic::kDeactivationOffset, dev::Gic::kDeactivationBytes, gic.deactivation());
}
// [end]

} // namespace sel4vm::example
