// SPDX-License-Identifier: BSD-2-Clause
//
// More active interrupts than list registers. A list register that holds an active one may go to another interrupt; the active
// one stays so in software. The guest ends it in one of two ways: with EOImode 0 the hardware counts the ends of interrupts that no list
// register holds, and reports them (IHI 0048B, GICH_HCR.EOICount; IHI 0069, ICH_HCR_EL2.EOIcount), with EOImode 1 the
// deactivation is trapped, since the count does not tell which interrupt it was. The guest may change the mode at any time.
//
// Whether an active interrupt holds others back is not known here but from the active priorities, which the guest changes without
// an exit. So an interrupt that nothing more urgent keeps from being signalled is in a list register, whatever is active.
#include <sel4vm/dev/arm/gic/cpu_delivery.hpp>

namespace sel4vm::dev {

using aarch64::Deactivation;
using aarch64::ListRegisterState;

/// The priority of the most urgent of them that runs; 0x100 when there is none.
[[gnu::noinline, gnu::cold]] u32 CpuDelivery::unlisted_priority() {
    u32 running = 0x100;
    for_each_unlisted([&](u32, const IrqWord &irq, u32 i) {
        if ((irq.unlisted_quiet >> i & 1) == 0 && irq.unlisted_priority[i] < running &&
            lists_->priority_runs(irq.unlisted_priority[i], (irq.unlisted_group1 >> i & 1) != 0))
            running = irq.unlisted_priority[i];
    });
    return running;
}

/// Whether an active interrupt can be without a list register: nothing is lost when the guest ends it.
[[gnu::noinline, gnu::cold]] bool CpuDelivery::can_unlist() {
    if (!can_rewrite_ || !abilities_.unlisted_ends)
        return false;
    return irqs_->version() == GicVersion::v2 || abilities_.deactivation_trap || !splits_ends();
}

/// Finds out which of the active interrupts run no more. One of the same priority that is acknowledged later is then not taken for them.
[[gnu::noinline, gnu::cold]] void CpuDelivery::note_quiet() {
    CpuState &cpu = state();
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
        if (has_active(entry.state) && !lists_->priority_runs(entry.running_priority, entry.group1))
            entry.running_priority = kQuiet;
    }
    for_each_unlisted([&](u32, IrqWord &irq, u32 i) {
        if (!lists_->priority_runs(irq.unlisted_priority[i], (irq.unlisted_group1 >> i & 1) != 0))
            irq.unlisted_quiet |= bit<u32>(i);
    });
}

/// A list register with an active interrupt that a candidate of this priority may take: one that does not run, or the least urgent one.
[[gnu::noinline, gnu::cold]] u32 CpuDelivery::active_victim(u8 priority) {
    if (!can_unlist())
        return kNone;
    note_quiet();
    // One that is in a list register already is signalled before it, or waits for the same end.
    if (priority >= running_priority() && any_listed_passes())
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
    irq.unlisted_priority[i] = entry.running_priority == kQuiet ? entry.priority : entry.running_priority;
    irq.unlisted_quiet = entry.running_priority == kQuiet ? irq.unlisted_quiet | b : irq.unlisted_quiet & ~b;
    irq.unlisted_group1 = entry.group1 ? irq.unlisted_group1 | b : irq.unlisted_group1 & ~b;
    if (entry.intid < kSgiCount)
        cpu.unlisted_sources[entry.intid] = entry.source;
    ++cpu.unlisted;
    cpu.chores |= chore::kListActive;
}

/// Takes over which unlisted interrupts have ended.
[[gnu::noinline, gnu::cold]] void CpuDelivery::fold_unlisted() {
    u32 ends = lists_->take_unlisted_ends();
    if (!can_unlist())
        return; // deactivations, of which nobody can tell whose they are
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
    // One that did not run can only be meant when the guest has put back the active priorities that it had saved.
    constexpr u32 kWasQuiet = 0x100;
    u32 best = kNone;
    u32 best_rank = 2 * kWasQuiet;
    for_each_unlisted([&](u32 intid, const IrqWord &irq, u32 i) {
        const u8 priority = irq.unlisted_priority[i];
        const u32 rank = priority + (irq.unlisted_quiet >> i & 1) * kWasQuiet;
        if (rank < best_rank &&
            (!lists_->priority_runs(priority, (irq.unlisted_group1 >> i & 1) != 0) || listed_at(priority))) {
            best = intid;
            best_rank = rank;
        }
    });
    return best;
}

/// Has the host report, or trap, the ends of unlisted interrupts while there are any.
[[gnu::noinline, gnu::cold]] void CpuDelivery::watch_unlisted() {
    using aarch64::maintenance::kUnlistedEnd;
    const bool any = state().unlisted != 0;
    ask_maintenance(kUnlistedEnd, any ? kUnlistedEnd : 0);
    trap_deactivation(any);
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
