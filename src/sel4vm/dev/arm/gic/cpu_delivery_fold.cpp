// SPDX-License-Identifier: BSD-2-Clause
//
// From the list registers to the state machine: what ended, what was acknowledged, and what has to be withdrawn.
#include <sel4vm/arch/aarch64/timer_registers.hpp>
#include <sel4vm/dev/arm/gic/cpu_delivery.hpp>

namespace sel4vm::dev {

using aarch64::ListRegisterState;

namespace {
[[nodiscard]] u32 bit_of(const ListEntry &entry) { return bit<u32>(entry.intid % kIrqsPerWord); }

[[nodiscard]] ListRegisterState state_of(bool pending, bool active) {
    return static_cast<ListRegisterState>((pending ? 1 : 0) | (active ? 2 : 0));
}
} // namespace

void CpuDelivery::fold_lists(u32 ended) {
    CpuState &cpu = state();
    for (; ended != 0; ended &= ended - 1)
        finish(static_cast<u32>(std::countr_zero(ended)));
    if (!abilities_.read_back)
        return;
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const u32 index = static_cast<u32>(std::countr_zero(used));
        saw(index, lists_->read(index).state);
    }
}

void CpuDelivery::saw(u32 index, ListRegisterState now) {
    ListEntry &entry = state().lists[index];
    if (now == ListRegisterState::empty) {
        finish(index);
        return;
    }
    if (entry.orphan || now == entry.state)
        return;
    IrqWord &irq = word_of(entry);
    const u32 b = bit_of(entry);
    if (has_pending(entry.state) && !has_pending(now)) { // acknowledged
        irq.lr_latch &= ~b;
        entry.running_priority = entry.priority;
        entry.injected_active = false;
    } else if (!has_active(now)) {
        entry.injected_active = false; // ended
    }
    if (has_active(now) && (irq.drop_active & b) == 0)
        irq.active |= b;
    else if ((irq.want_active & b) == 0)
        irq.active &= ~b;
    entry.state = now;
}

void CpuDelivery::finish(u32 index) {
    CpuState &cpu = state();
    const ListEntry &entry = cpu.lists[index];
    const u32 intid = entry.intid;
    const bool is_orphan = entry.orphan;
    const bool was_linked = entry.hardware_linked;
    release(index);
    if (intid >= aarch64::kFirstLpi) // an LPI, or nobody knows what
        return;
    const u32 w = intid / kIrqsPerWord;
    const u32 b = bit<u32>(intid % kIrqsPerWord);
    IrqWord &irq = word(w);
    if (is_orphan && !irqs_->is_held_by(cpu_, intid))
        return; // let go while this vCPU was off; another may have it now
    irq.listed &= ~b;
    if (is_orphan) {
        irqs_->update(*state_, w, b);
        return;
    }
    irq.lr_latch &= ~b;
    ended(intid, was_linked);
}

/// An interrupt is no longer active. While it was listed or active it was no candidate, and it stays none unless something waits.
void CpuDelivery::ended(u32 intid, bool was_linked) {
    CpuState &cpu = state();
    const u32 w = intid / kIrqsPerWord;
    const u32 b = bit<u32>(intid % kIrqsPerWord);
    IrqWord &irq = word(w);
    irq.active &= ~b;
    irq.drop_active &= ~b;
    irq.want_active &= ~b;
    if ((irq.listened & b) != 0)
        irqs_->note_finished(cpu_, intid, was_linked ? EndedBy::link : EndedBy::software);
    if (cpu.timer.masked && cpu.timer.intid == intid) {
        // A condition that still holds fires again. With a linked list register it may have done so already.
        cpu.timer.masked = false;
        irq.wire &= ~b;
        if (!was_linked)
            timer_->unmask();
    }
    if ((irq.waiting() & b) != 0)
        irqs_->update(*state_, w, b);
}

/// Moves a latch that the distributor got meanwhile to the list register; false when there is none for it.
bool CpuDelivery::take_latch(const ListEntry &entry) {
    IrqWord &irq = word_of(entry);
    const u32 b = bit_of(entry);
    if (entry.intid < kSgiCount) {
        u8 &sources = state().sgi_sources[entry.intid];
        if ((sources & bit<u8>(entry.source)) == 0)
            return false;
        sources &= static_cast<u8>(~bit<u8>(entry.source));
        if (sources == 0)
            irq.latched &= ~b;
    } else {
        if ((irq.latched & b) == 0)
            return false;
        irq.latched &= ~b;
    }
    irq.lr_latch |= b;
    return true;
}

void CpuDelivery::give_back_latch(const ListEntry &entry) {
    IrqWord &irq = word_of(entry);
    const u32 b = bit_of(entry);
    if ((irq.lr_latch & b) == 0)
        return;
    irq.lr_latch &= ~b;
    irq.latched |= b;
    if (entry.intid < kSgiCount)
        state().sgi_sources[entry.intid] |= bit<u8>(entry.source);
}

/// Whether the list register should (still, or now) be pending, and moves the latch accordingly. `now` is its state, with
/// the guest's writes to the active state already in it.
bool CpuDelivery::should_be_pending(const ListEntry &entry, ListRegisterState now) {
    const IrqWord &irq = word_of(entry);
    const u32 b = bit_of(entry);
    const bool forwarded = irqs_->is_forwarded(cpu_, entry.intid);
    if (has_pending(now)) {
        static_cast<void>(take_latch(entry)); // pending once more is still pending
        // A wire that is still high after the acknowledgement counts only at the end.
        const u32 reasons = irq.lr_latch | (has_active(now) ? 0 : irq.level_asserted());
        if (forwarded && (reasons & b) != 0)
            return true;
        give_back_latch(entry);
        return false;
    }
    return has_active(now) && forwarded && (irq.edge & b) != 0 && take_latch(entry);
}

/// Makes one list register say what the state machine says. Only for hosts that can rewrite it.
void CpuDelivery::correct(u32 index) {
    ListEntry &entry = state().lists[index];
    if (entry.orphan)
        return;
    IrqWord &irq = word_of(entry);
    const u32 b = bit_of(entry);
    bool active = has_active(entry.state);
    if (((irq.drop_active | irq.want_active) & b) != 0) {
        active = (active && (irq.drop_active & b) == 0) || (irq.want_active & b) != 0;
        irq.drop_active &= ~b;
        irq.want_active &= ~b;
    }
    const bool pending = should_be_pending(entry, state_of(has_pending(entry.state), active));

    if (!pending && !active) {
        if (has_active(entry.state)) {
            unlink(entry); // ended by a register write: no EOI has unmasked anything
            finish(index);
        } else {
            withdraw(index);
        }
        empty(index);
        return;
    }
    ListEntry wanted = entry;
    wanted.state = state_of(pending, active);
    if (pending)
        wanted.priority = irq.priority[entry.intid % kIrqsPerWord];
    if (!active)
        wanted.group1 = (irq.group1 & b) != 0; // an active one is ended through the group it was acknowledged in
    // What waits in the distributor for the end of this one, or follows a wire, has to be looked at then.
    if (wanted.state == ListRegisterState::pending_and_active)
        unlink(wanted);
    wanted.eoi_maintenance =
        !wanted.hardware_linked &&
        (entry.eoi_maintenance || ((irq.waiting() | ~irq.edge) & b) != 0 || irqs_->is_taken(entry.intid));
    if (wanted.state == entry.state && wanted.priority == entry.priority && wanted.group1 == entry.group1 &&
        wanted.eoi_maintenance == entry.eoi_maintenance)
        return;
    // Active, but not because the guest has acknowledged it.
    wanted.injected_active = active && (entry.injected_active || !has_active(entry.state));
    entry = wanted;
    static_cast<void>(write(index));
}

/// Takes an interrupt back from its list register, which the caller then overwrites.
void CpuDelivery::withdraw(u32 index) {
    const ListEntry entry = state().lists[index];
    give_back_latch(entry);
    release(index);
    const u32 b = bit_of(entry);
    word_of(entry).listed &= ~b;
    irqs_->update(*state_, entry.intid / kIrqsPerWord, b);
}

/// The guest may have moved its timer on without an interrupt: then the wire is low, and the timer may fire anew.
void CpuDelivery::look_at_timer() {
    CpuState &cpu = state();
    const u32 b = bit<u32>(cpu.timer.intid % kIrqsPerWord);
    if (!cpu.timer.masked || (cpu.irq.active & b) != 0)
        return;
    // Where a loaded list register cannot be withdrawn, its EOI will do.
    if (!can_rewrite_ && (cpu.irq.listed & b) != 0)
        return;
    using aarch64::TimerControl;
    const TimerControl control{timer_->state().control};
    if (control.get<TimerControl::Enable>() && control.get<TimerControl::Istatus>() &&
        !control.get<TimerControl::Imask>())
        return;
    cpu.timer.masked = false;
    irqs_->set_wire(cpu_, cpu.timer.intid, Level::low);
    timer_->unmask();
}

void CpuDelivery::observe() {
    fold();
    if (state().timer.masked)
        look_at_timer();
}

} // namespace sel4vm::dev
