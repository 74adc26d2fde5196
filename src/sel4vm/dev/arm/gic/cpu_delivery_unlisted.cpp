// SPDX-License-Identifier: BSD-2-Clause
//
// More active interrupts than list registers. A list register that holds an active one may go to a more urgent interrupt; the active
// one stays so in software. The guest ends it in one of two ways: with EOImode 0 the hardware counts the ends of interrupts that no list
// register holds, and reports them (IHI 0048B, GICH_HCR.EOICount; IHI 0069, ICH_HCR_EL2.EOIcount), with EOImode 1 the
// deactivation is trapped, since the count does not tell which interrupt it was.
#include <sel4vm/dev/arm/gic/cpu_delivery.hpp>

namespace sel4vm::dev {

using aarch64::Deactivation;
using aarch64::ListRegisterState;

/// The priority of the most urgent of them; 0x100 when there is none.
[[gnu::noinline, gnu::cold]] u32 CpuDelivery::unlisted_priority() {
    u32 running = 0x100;
    for_each_unlisted([&](u32, const IrqWord &irq, u32 i) {
        if (irq.unlisted_priority[i] < running)
            running = irq.unlisted_priority[i];
    });
    return running;
}

/// A list register with an active interrupt that a candidate of this priority may take: the least urgent one.
[[gnu::noinline, gnu::cold]] u32 CpuDelivery::active_victim(u8 priority) {
    if (!can_rewrite_ || !abilities_.unlisted_ends)
        return kNone;
    // With EOImode 0 nothing preempts what is more urgent; it can wait for that one's end.
    if (splits_ends() ? irqs_->version() == GicVersion::v3 && !abilities_.deactivation_trap
                      : priority >= running_priority())
        return kNone;
    const CpuState &cpu = state();
    u32 victim = kNone;
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const u32 index = static_cast<u32>(std::countr_zero(used));
        const ListEntry &entry = cpu.lists[index];
        if (!entry.orphan && has_active(entry.state) &&
            (victim == kNone || entry.running_priority > cpu.lists[victim].running_priority))
            victim = index;
    }
    return victim;
}

/// Takes an active interrupt out of its list register, which the caller then overwrites.
[[gnu::noinline, gnu::cold]] void CpuDelivery::part_with(u32 index) {
    CpuState &cpu = state();
    const ListEntry entry = cpu.lists[index];
    const u32 i = entry.intid % kIrqsPerWord;
    const u32 b = bit<u32>(i);
    IrqWord &irq = word_of(entry);
    // Ends that were counted before do not matter: their interrupts were no longer active.
    if (cpu.unlisted == 0)
        static_cast<void>(lists_->take_unlisted_ends());
    give_back_latch(entry);
    irq.listed &= ~b;
    irq.unlisted |= b;
    irq.unlisted_priority[i] = entry.running_priority;
    irq.unlisted_group1 = entry.group1 ? irq.unlisted_group1 | b : irq.unlisted_group1 & ~b;
    if (entry.intid < kSgiCount)
        cpu.unlisted_sources[entry.intid] = entry.source;
    ++cpu.unlisted;
    cpu.chores |= chore::kListActive;
    release(index);
}

/// Takes over which unlisted interrupts have ended.
[[gnu::noinline, gnu::cold]] void CpuDelivery::fold_unlisted() {
    u32 ends = lists_->take_unlisted_ends();
    if (splits_ends())
        return;
    for (; ends != 0; --ends) {
        const u32 intid = ended_unlisted();
        if (intid == kNone)
            return; // the end of one that was no longer active
        irqs_->forget_unlisted(cpu_, intid / kIrqsPerWord, bit<u32>(intid % kIrqsPerWord));
        ended(intid, false);
    }
}

/// Which of the unlisted interrupts an end belongs to: ends come in the order of urgency, and the priority runs no more, unless
/// another interrupt of the same priority was acknowledged since.
[[gnu::noinline, gnu::cold]] u32 CpuDelivery::ended_unlisted() {
    const CpuState &cpu = state();
    const auto listed_at = [&](u32 priority) {
        for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
            const ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
            if (has_active(entry.state) && !entry.injected_active && entry.running_priority == priority)
                return true;
        }
        return false;
    };
    u32 best = kNone;
    u32 best_priority = 0x100;
    for_each_unlisted([&](u32 intid, const IrqWord &irq, u32 i) {
        const u8 priority = irq.unlisted_priority[i];
        if (priority < best_priority &&
            (!lists_->priority_runs(priority, (irq.unlisted_group1 >> i & 1) != 0) || listed_at(priority))) {
            best = intid;
            best_priority = priority;
        }
    });
    return best;
}

/// Has the host report, or trap, the ends of unlisted interrupts while there are any.
[[gnu::noinline, gnu::cold]] void CpuDelivery::watch_unlisted() {
    using aarch64::maintenance::kUnlistedEnd;
    const bool any = state().unlisted != 0;
    const bool split = any && splits_ends();
    ask_maintenance(kUnlistedEnd, any && !split ? kUnlistedEnd : 0);
    trap_deactivation(split);
}

/// Whether it is trapped for this vCPU's unlisted interrupts; for other vCPUs' sake it always is.
[[gnu::noinline, gnu::cold]] void CpuDelivery::trap_deactivation(bool for_unlisted) {
    CpuState &cpu = state();
    const bool trap = for_unlisted || irqs_->cpu_count() > 1;
    if (!can_rewrite_ || !abilities_.deactivation_trap || cpu.traps_deactivation == trap)
        return;
    cpu.traps_deactivation = trap;
    lists_->set_deactivation(trap ? Deactivation::trapped : Deactivation::by_hardware);
}

/// The vCPU is off: they stay active, and are nobody's.
[[gnu::noinline, gnu::cold]] void CpuDelivery::forget_unlisted() {
    if (state().unlisted == 0)
        return;
    for_each_unlisted([&](u32 intid, const IrqWord &, u32) {
        irqs_->forget_unlisted(cpu_, intid / kIrqsPerWord, bit<u32>(intid % kIrqsPerWord));
    });
}

} // namespace sel4vm::dev
