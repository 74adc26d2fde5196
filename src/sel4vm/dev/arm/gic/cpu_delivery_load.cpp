// SPDX-License-Identifier: BSD-2-Clause
//
// From the state machine to the list registers: the most urgent candidates first.
#include <sel4vm/dev/arm/gic/cpu_delivery.hpp>

namespace sel4vm::dev {

using aarch64::ListRegister;
using aarch64::ListRegisterState;
namespace cause = aarch64::maintenance;

[[gnu::cold]] void CpuDelivery::attach(IrqMachine &irqs, u32 cpu, aarch64::ListRegisterPort &lists,
                                       aarch64::TimerPort &timer) {
    irqs_ = &irqs;
    state_ = &irqs.cpu(cpu);
    lists_ = &lists;
    timer_ = &timer;
    cpu_ = cpu;
    abilities_ = lists.abilities();
    lists_mask_ = low_mask<u32>(abilities_.count);
    can_rewrite_ = abilities_.read_back && abilities_.clear;
    // An interrupt that arrives while its list register is busy can only be seen to at the EOI, where nothing can be rewritten.
    always_eoi_ = !abilities_.optional_eoi || !can_rewrite_;
    links_physical_ = abilities_.hardware_link && !always_eoi_;
    timer_intid_ = abilities_.hardware_link && !always_eoi_ ? timer.physical_intid() : u16{0};
}

void CpuDelivery::service() {
    if (state().lists_in_use != 0) {
        const u32 ended = take_ended();
        if (load_sgi_again(ended) || end_alone(ended))
            return;
        fold_lists(ended);
    } else if (load_sgi_alone()) {
        return;
    }
    correct_and_load(TimerNews::none);
}

void CpuDelivery::maintain() {
    if (!abilities_.read_back && state().lists_in_use != 0) {
        const u32 ended = take_ended();
        if (end_alone(ended))
            return;
        fold_lists(ended);
        return correct_and_load(TimerNews::none);
    }
    // Also when nothing should be in use: what the host reports must not stay unheard.
    if (state().lists_in_use == 0)
        static_cast<void>(lists_->take_finished());
    service();
}

void CpuDelivery::correct_and_load(TimerNews news) {
    CpuState &cpu = state();
    if (cpu.chores != 0) [[unlikely]] {
        if (cpu.unlisted != 0)
            fold_unlisted();
        if ((cpu.chores & chore::kWatchInterface) != 0)
            look_at_interface();
        if ((cpu.chores & chore::kLpis) != 0)
            fold_lpis();
    }
    if (cpu.timer.masked && news != TimerNews::just_fired)
        look_at_timer();
    if (can_rewrite_) {
        for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1)
            correct(static_cast<u32>(std::countr_zero(used)));
    }
    load();
    // What the above asked for has been done by it.
    irqs_->forget_wake(cpu);
}

void CpuDelivery::timer_fired(u32 intid) {
    SEL4VM_ASSERT(intid >= kSgiCount && intid < kIrqsPerWord);
    if (!load_timer_alone(intid))
        pend_timer(intid);
}

[[gnu::noinline]] void CpuDelivery::pend_timer(u32 intid) {
    CpuState &cpu = state();
    if (cpu.lists_in_use != 0) {
        const u32 ended = take_ended();
        if (load_timer_again(ended, intid))
            return;
        fold_lists(ended); // the end of the last one must not be taken for the end of this one
    }
    cpu.timer.intid = static_cast<u8>(intid);
    cpu.timer.masked = true;
    irqs_->set_private_wire(cpu, intid, Level::high);
    correct_and_load(TimerNews::just_fired);
}

void CpuDelivery::load() {
    CpuState &cpu = state();
    while (cpu.candidate_words != 0) {
        const Choice choice = best_candidate();
        if (cpu.leftovers && claim_again(choice.intid)) [[unlikely]]
            continue;
        u32 index = 0;
        if (const u32 free = free_lists(); free != 0) {
            index = static_cast<u32>(std::countr_zero(free));
        } else {
            index = make_room(choice.priority);
            if (index == kNone)
                break;
        }
        list(index, choice.intid);
    }
    if ((cpu.chores & (chore::kListActive | chore::kLpis)) != 0) [[unlikely]] {
        if ((cpu.chores & chore::kListActive) != 0) {
            load_software_active();
            watch_unlisted();
        }
        if ((cpu.chores & chore::kLpis) != 0)
            list_lpis();
    }
    if (can_rewrite_)
        arrange_refill();
}

/// A list register that the caller then overwrites: what it had has less need of it than an interrupt of this priority. kNone: there is none.
[[gnu::noinline]] u32 CpuDelivery::make_room(u8 priority) {
    CpuState &cpu = state();
    u32 index = can_rewrite_ ? victim_for(priority) : kNone;
    if (index == kNone)
        index = active_victim(priority);
    if (index == kNone)
        return kNone;
    if (has_active(cpu.lists[index].state) && !cpu.lists[index].injected_active) {
        part_with(index);
    } else if (cpu.lists[index].injected_active) {
        // It stays active in software, until there is room again.
        give_back_latch(cpu.lists[index]);
        word_of(cpu.lists[index]).listed &= ~bit<u32>(cpu.lists[index].intid % kIrqsPerWord);
        cpu.chores |= chore::kListActive;
    } else {
        withdraw(index);
    }
    return index;
}

/// The highest-priority candidate, the lowest INTID among equals. There is one.
CpuDelivery::Choice CpuDelivery::best_candidate() {
    CpuState &cpu = state();
    const u32 first_word = static_cast<u32>(std::countr_zero(cpu.candidate_words));
    const u32 first_bits = cpu.candidates[first_word];
    if (is_power_of_two(cpu.candidate_words) && is_power_of_two(first_bits)) [[likely]] {
        const u32 i = static_cast<u32>(std::countr_zero(first_bits));
        return {first_word * kIrqsPerWord + i, word(first_word).priority[i]};
    }
    return best_of_several();
}

[[gnu::noinline]] CpuDelivery::Choice CpuDelivery::best_of_several() {
    CpuState &cpu = state();
    Choice best = {kNone, 0xff};
    if ((cpu.candidate_words & 1) != 0)
        best = best_in(0);
    if ((cpu.candidate_words & ~u32{1}) != 0) {
        if (cpu.ranks.stale != 0)
            rank();
        const u32 w = cpu.ranks.best_word;
        if (best.intid == kNone || cpu.ranks.priority[w] < best.priority)
            best = {w * kIrqsPerWord + cpu.ranks.number[w], cpu.ranks.priority[w]};
    }
    return best;
}

/// In a word that has some.
CpuDelivery::Choice CpuDelivery::best_in(u32 w) {
    const IrqWord &irq = word(w);
    u32 bits = state().candidates[w];
    u32 best = static_cast<u32>(std::countr_zero(bits));
    for (bits &= bits - 1; bits != 0; bits &= bits - 1) {
        const u32 i = static_cast<u32>(std::countr_zero(bits));
        best = irq.priority[i] < irq.priority[best] ? i : best;
    }
    return {w * kIrqsPerWord + best, irq.priority[best]};
}

void CpuDelivery::rank() {
    CpuState &cpu = state();
    const u32 words = cpu.candidate_words & ~u32{1};
    for (u32 stale = cpu.ranks.stale & words; stale != 0; stale &= stale - 1) {
        const u32 w = static_cast<u32>(std::countr_zero(stale));
        const Choice best = best_in(w);
        cpu.ranks.priority[w] = best.priority;
        cpu.ranks.number[w] = static_cast<u8>(best.intid % kIrqsPerWord);
    }
    cpu.ranks.stale = 0; // of a word without candidates no rank is asked for until it has some
    u32 best = 0x100;
    for (u32 rest = words; rest != 0; rest &= rest - 1) {
        const u32 w = static_cast<u32>(std::countr_zero(rest));
        if (cpu.ranks.priority[w] < best) {
            best = cpu.ranks.priority[w];
            cpu.ranks.best_word = static_cast<u8>(w);
        }
    }
}

/// The list register that an interrupt of this priority may take: one loaded as active only because software said so,
/// else the least urgent pending one if it is less urgent.
u32 CpuDelivery::victim_for(u8 priority) {
    const CpuState &cpu = state();
    u32 victim = kNone;
    u32 worst = priority;
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const u32 index = static_cast<u32>(std::countr_zero(used));
        const ListEntry &entry = cpu.lists[index];
        if (entry.orphan)
            continue;
        if (entry.injected_active)
            return index;
        if (entry.state == ListRegisterState::pending && entry.priority > worst) {
            worst = entry.priority;
            victim = index;
        }
    }
    return victim;
}

void CpuDelivery::list(u32 index, u32 intid) {
    CpuState &cpu = state();
    const u32 w = intid / kIrqsPerWord;
    const u32 i = intid % kIrqsPerWord;
    const u32 b = bit<u32>(i);
    IrqWord &irq = word(w);
    ListEntry &entry = cpu.lists[index];
    entry = ListEntry{};
    entry.intid = intid;
    entry.priority = irq.priority[i];
    entry.group1 = (irq.group1 & b) != 0;
    entry.state = ListRegisterState::pending;
    if (intid < kSgiCount) {
        u8 &sources = cpu.sgi_sources[intid];
        entry.source = static_cast<u8>(std::countr_zero(sources));
        entry.source_cpu = abilities_.source_cpu ? entry.source : u8{0};
        sources &= static_cast<u8>(sources - 1);
        if (sources == 0)
            irq.latched &= ~b;
        irq.lr_latch |= b;
    } else if ((irq.latched & b) != 0) {
        irq.latched &= ~b;
        irq.lr_latch |= b;
    }
    entry.eoi_maintenance = always_eoi_ || ((irq.waiting() | ~irq.edge | irq.listened) & b) != 0;
    if (timer_intid_ != 0 && cpu.timer.masked && cpu.timer.intid == intid && ((irq.edge | irq.listened) & b) == 0) {
        // The guest's end lets the timer fire again all by itself.
        entry.hardware_linked = true;
        entry.physical_intid = timer_intid_;
        entry.eoi_maintenance = false;
    }
    if (entry.eoi_maintenance && links_physical_ && irqs_->is_taken(intid)) {
        // Likewise for a device of the hardware.
        entry.hardware_linked = true;
        entry.physical_intid = static_cast<u16>(intid);
        entry.eoi_maintenance = false;
    }
    irq.listed |= b;
    irqs_->set_holder(cpu_, intid);
    // It was a candidate of this vCPU, and of no other.
    if (w != 0) {
        static_cast<void>(change_shared_candidates(cpu, w, b, 0));
    } else {
        cpu.candidates[0] &= ~b;
        if (cpu.candidates[0] == 0)
            cpu.candidate_words &= ~u32{1};
    }
    cpu.lists_in_use |= bit<u32>(index);
    if (!write(index)) [[unlikely]]
        refused(index);
}

/// The host says it is busy, against what we know: keep it out of use until its maintenance event.
[[gnu::noinline, gnu::cold]] void CpuDelivery::refused(u32 index) {
    ListEntry &entry = state().lists[index];
    const u32 w = entry.intid / kIrqsPerWord;
    const u32 b = bit<u32>(entry.intid % kIrqsPerWord);
    give_back_latch(entry);
    word(w).listed &= ~b;
    entry = ListEntry{};
    entry.orphan = true;
    entry.intid = kUnknownIntid;
    irqs_->update(*state_, w, b);
}

[[gnu::noinline, gnu::cold]] void CpuDelivery::load_software_active() {
    CpuState &cpu = state();
    cpu.chores &= static_cast<u8>(~chore::kListActive);
    for (u32 w = 0; w < words_seen(); ++w) {
        const IrqWord &irq = word(w);
        for (u32 bits = irq.active & ~irq.listed; bits != 0; bits &= bits - 1) {
            const u32 intid = w * kIrqsPerWord + static_cast<u32>(std::countr_zero(bits));
            if (irqs_->ender_of(cpu_, intid) != cpu_)
                continue;
            if (free_lists() == 0) {
                cpu.chores |= chore::kListActive;
                return;
            }
            list_active(static_cast<u32>(std::countr_zero(free_lists())), intid);
        }
    }
}

[[gnu::noinline, gnu::cold]] void CpuDelivery::list_active(u32 index, u32 intid) {
    CpuState &cpu = state();
    const u32 i = intid % kIrqsPerWord;
    const u32 b = bit<u32>(i);
    IrqWord &irq = word(intid / kIrqsPerWord);
    ListEntry entry;
    entry.intid = intid;
    entry.state = ListRegisterState::active;
    entry.eoi_maintenance = true;
    if ((irq.unlisted & b) != 0) {
        // As it was acknowledged, or the guest's end would not find it.
        entry.priority = irq.unlisted_priority[i];
        entry.running_priority = (irq.unlisted_quiet & b) != 0 ? kQuiet : entry.priority;
        entry.group1 = (irq.unlisted_group1 & b) != 0;
        if (intid < kSgiCount) {
            entry.source = cpu.unlisted_sources[intid];
            entry.source_cpu = abilities_.source_cpu ? entry.source : u8{0};
        }
        irqs_->forget_unlisted(cpu_, intid / kIrqsPerWord, b);
    } else {
        entry.priority = irq.priority[i];
        entry.group1 = (irq.group1 & b) != 0;
        entry.injected_active = true;
    }
    irq.listed |= b;
    irqs_->set_holder(cpu_, intid);
    cpu.lists[index] = entry;
    cpu.lists_in_use |= bit<u32>(index);
    static_cast<void>(write(index));
}

/// While interrupts wait for a list register: has the host report when there is room.
void CpuDelivery::arrange_refill() {
    CpuState &cpu = state();
    if (cpu.candidate_words == 0) [[likely]] {
        if ((cpu.chores & chore::kRefill) != 0)
            ask_for_refill(0);
        return;
    }
    bool any_active = (cpu.chores & chore::kLpis) != 0; // they may stay, too
    bool any_pending = false;
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const ListRegisterState now = cpu.lists[static_cast<u32>(std::countr_zero(used))].state;
        any_active = any_active || has_active(now);
        any_pending = any_pending || now == ListRegisterState::pending;
    }
    // The guest may take all loaded ones, and then drop their priorities and end none. The next gets the list register of an active one.
    const u32 all_taken = abilities_.maintenance_control && any_pending && can_unlist() ? cause::kNoPending : 0;
    // The least urgent wait, so the guest takes all loaded ones first and underflow is early enough. Active ones may
    // stay for long, though: then each end counts. And with one list register, underflow never ends.
    if (abilities_.maintenance_control && abilities_.count > 1 && !any_active) {
        ask_for_refill(cause::kUnderflow | all_taken);
        return;
    }
    ask_for_refill(all_taken);
    report_each_end();
}

void CpuDelivery::report_each_end() {
    CpuState &cpu = state();
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const u32 index = static_cast<u32>(std::countr_zero(used));
        ListEntry &entry = cpu.lists[index];
        if ((entry.orphan && !lpi_entry::is_one(entry)) ||
            (entry.eoi_maintenance && entry.state != ListRegisterState::pending_and_active))
            continue;
        if (entry.state == ListRegisterState::pending_and_active) {
            // Its end would go unreported, and it would then be ahead of more urgent ones.
            give_back_latch(entry);
            entry.state = ListRegisterState::active;
        }
        unlink(entry); // a linked one ends unreported
        entry.eoi_maintenance = true;
        static_cast<void>(write(index));
    }
}

void CpuDelivery::ask_for_refill(u32 causes) {
    CpuState &cpu = state();
    cpu.chores = static_cast<u8>(causes != 0 ? cpu.chores | chore::kRefill : cpu.chores & ~chore::kRefill);
    ask_maintenance(cause::kUnderflow | cause::kNoPending, causes);
}

/// Of these causes, for those that are wanted.
void CpuDelivery::ask_maintenance(u32 causes, u32 wanted) {
    CpuState &cpu = state();
    const u32 all = (cpu.maintenance & ~causes) | wanted;
    if (cpu.maintenance == all)
        return;
    cpu.maintenance = all;
    lists_->set_maintenance(all);
}

void CpuDelivery::empty(u32 index) { static_cast<void>(lists_->write(index, ListRegister{})); }

void CpuDelivery::release(u32 index) {
    CpuState &cpu = state();
    cpu.lists[index] = ListEntry{};
    cpu.lists_in_use &= ~bit<u32>(index);
}

} // namespace sel4vm::dev
