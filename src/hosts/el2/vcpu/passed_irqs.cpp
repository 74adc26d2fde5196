// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/vcpu/passed_irqs.hpp>

namespace sel4vm::el2 {

namespace {
IrqTrigger from(aarch64::PhysicalTrigger trigger) {
    return trigger == aarch64::PhysicalTrigger::edge ? IrqTrigger::edge : IrqTrigger::level;
}
} // namespace

void PassedIrqs::connect(u32 intid, aarch64::PhysicalTrigger trigger, aarch64::PhysicalIrqSink &sink) {
    LockGuard guard(share_.lock);
    gic_.configure({intid, from(trigger)}, Gic::IrqCause::guest);
    gic_.clear_active(intid);
    PassedIrqTable::Owner &owner = share_.table.at(intid);
    owner.vcpu.store(vcpus_[0].get(), std::memory_order_relaxed);
    owner.sink = &sink;
}

void PassedIrqs::set_trigger(u32 intid, aarch64::PhysicalTrigger trigger) {
    LockGuard guard(share_.lock);
    gic_.set_trigger(intid, from(trigger));
}

// One that is under way goes to the CPU of before, which passes it on.
void PassedIrqs::route(u32 intid, VcpuId vcpu) {
    Vcpu &target = *vcpus_[vcpu.value()];
    share_.table.at(intid).vcpu.store(&target, std::memory_order_relaxed);
    target.physical_gic().route_here(intid);
}

} // namespace sel4vm::el2
