// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/gic_core.hpp>

namespace sel4vm::dev {

namespace {
[[nodiscard]] bool same(const aarch64::ListRegisterAbilities &a, const aarch64::ListRegisterAbilities &b) {
    return a.count == b.count && a.read_back == b.read_back && a.clear == b.clear && a.priority_bits == b.priority_bits;
}
} // namespace

Status<GicError> GicCore::init(Allocator &allocator, const GicConfig &config) {
    SEL4VM_TRY(irqs_.init(allocator, config));
    deliveries_ = OwnedArray<CpuDelivery>::make(allocator, config.vcpu_count);
    if (!deliveries_)
        return Err{GicError::out_of_memory};
    return Ok{};
}

Status<GicError> GicCore::attach(u32 cpu, aarch64::ListRegisterPort &lists, aarch64::TimerPort &timer) {
    if (cpu >= irqs_.cpu_count())
        return Err{GicError::vcpu_count};
    const aarch64::ListRegisterAbilities abilities = lists.abilities();
    if (abilities.count == 0 || abilities.count > kMaxListRegisters)
        return Err{GicError::list_registers};
    if (abilities.max_intid + 1u < irqs_.intid_limit())
        return Err{GicError::intid_range};
    if (irqs_.lpis().exist() && (abilities.max_intid + 1u < u32{1} << kLpiIntidBits || abilities.count < 2 ||
                                 !abilities.read_back || !abilities.clear))
        return Err{GicError::lpis};
    if (adapted_ && !same(abilities, abilities_))
        return Err{GicError::abilities};
    abilities_ = abilities;
    adapted_ = true;
    irqs_.adapt(abilities);
    deliveries_[cpu].attach(irqs_, cpu, lists, timer);
    return Ok{};
}

[[gnu::noinline]] void GicCore::observe(u32 caller, u32 cpu, u32 w) {
    deliveries_[caller].observe();
    irqs_.wake_holders(caller, cpu, w);
}

void GicCore::deactivate(u32 caller, u32 intid) {
    // With EOImode 0 the end of an interrupt has deactivated it, and this write is ignored.
    if (!handles_deactivation() || intid >= irqs_.intid_limit() || !deliveries_[caller].splits_ends())
        return;
    const u32 w = intid / kIrqsPerWord;
    observe(caller, caller, w);
    irqs_.clear_active(caller, w, bit<u32>(intid % kIrqsPerWord));
}

void GicCore::reset() {
    for (CpuDelivery &delivery : deliveries_) {
        delivery.give_back();
        delivery.start();
    }
    irqs_.reset();
    // Nothing is enabled any more.
    for (CpuState &cpu : irqs_.cpus())
        irqs_.forget_wake(cpu);
}

void GicCore::turned_on(u32 cpu) {
    deliveries_[cpu].start();
    irqs_.turned_on(cpu);
}

void GicCore::turned_off(u32 cpu) {
    deliveries_[cpu].give_back();
    irqs_.turned_off(cpu);
}

} // namespace sel4vm::dev
