// SPDX-License-Identifier: BSD-2-Clause
//
// The short ways for one interrupt that comes while no other is about, which is what timers and SGIs mostly do. Each function
// here does in one step what making it pending, choosing it and listing it would do one after the other, or nothing at all.
// Where its list register is as its last occurrence left it (..._again), even more is done already.
#include <sel4vm/dev/arm/gic/cpu_delivery.hpp>

namespace sel4vm::dev {

using aarch64::ListRegisterState;

bool CpuDelivery::nothing_listed() const { return state_->lists_in_use == 0 && state_->chores == 0; }

/// Puts number `i` of this word, which is no candidate, into the first of the list registers, which are all empty. False: the host
/// refused, and it is a candidate now.
[[gnu::always_inline]] inline bool CpuDelivery::load_first(IrqWord &irq, u32 i, u32 intid, u8 source,
                                                           bool eoi_maintenance, u16 linked_to) {
    CpuState &cpu = state();
    const u32 b = bit<u32>(i);
    ListEntry entry;
    entry.state = ListRegisterState::pending;
    entry.intid = intid;
    entry.priority = irq.priority[i];
    entry.group1 = (irq.group1 & b) != 0;
    entry.source = source;
    entry.source_cpu = abilities_.source_cpu ? source : u8{0};
    entry.eoi_maintenance = eoi_maintenance;
    entry.hardware_linked = linked_to != 0;
    entry.physical_intid = linked_to;
    cpu.lists[0] = entry;
    cpu.lists_in_use = 1;
    irq.listed |= b;
    if (write(0)) [[likely]]
        return true;
    refused(0);
    return false;
}

/// The virtual timer, whose interrupt is not pending for any other reason.
bool CpuDelivery::load_timer_alone(u32 intid) {
    CpuState &cpu = state();
    IrqWord &irq = cpu.irq;
    const u32 b = bit<u32>(intid);
    const u32 not_fresh = irq.edge | irq.wire | irq.latched | irq.active;
    if (!nothing_listed() || cpu.candidate_words != 0 || (irqs_->forwarded_bits(irq) & ~not_fresh & b) == 0)
        return false;
    cpu.timer.intid = static_cast<u8>(intid);
    cpu.timer.masked = true;
    irq.wire |= b;
    const u16 linked_to = (irq.listened & b) == 0 ? timer_intid_ : u16{0};
    return load_first(irq, intid, intid, 0, linked_to == 0, linked_to);
}

/// An SGI from one sender.
bool CpuDelivery::load_sgi_alone() {
    CpuState &cpu = state();
    const u32 b = cpu.candidates[0];
    if (cpu.candidate_words != 1 || !is_power_of_two(b) || b >= bit<u32>(kSgiCount) || !nothing_listed() ||
        cpu.timer.masked)
        return false;
    const u32 sgi = static_cast<u32>(std::countr_zero(b));
    u8 &sources = cpu.sgi_sources[sgi];
    if (!is_power_of_two(sources))
        return false;
    const u8 source = static_cast<u8>(std::countr_zero(sources));
    sources = 0;
    cpu.irq.latched &= ~b;
    cpu.irq.lr_latch |= b;
    cpu.candidates[0] = 0;
    cpu.candidate_words = 0;
    if (!load_first(cpu.irq, sgi, sgi, source, always_eoi_ || (cpu.irq.listened & b) != 0, 0))
        return false;
    return true;
}

bool CpuDelivery::load_injected_alone(SharedWord &place, u32 i, u32 intid) {
    CpuState &cpu = state();
    if ((cpu.candidate_words | cpu.lists_in_use | cpu.chores) != 0 || cpu.timer.masked)
        return false;
    IrqWord &irq = place.irq;
    const u32 b = bit<u32>(i);
    if ((irqs_->forwarded_bits(irq) & ~(irq.waiting() | irq.active | irq.listed) & b) == 0)
        return false;
    irq.lr_latch |= b;
    place.holder[i] = static_cast<u8>(cpu_);
    const bool maintenance = always_eoi_ || ((~irq.edge | irq.listened) & b) != 0;
    // Refused, it is pending all the same.
    static_cast<void>(load_first(irq, i, intid, 0, maintenance, 0));
    return true;
}

/// The end of the only interrupt that is listed, while no other waits. False: nothing was done.
bool CpuDelivery::end_alone(u32 ended) {
    CpuState &cpu = state();
    if (ended != cpu.lists_in_use || !is_power_of_two(ended) || (cpu.candidate_words | cpu.chores) != 0)
        return false;
    ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(ended))];
    const u32 intid = entry.intid;
    if (entry.orphan || (cpu.timer.masked && cpu.timer.intid != intid))
        return false;
    IrqWord &irq = word(intid / kIrqsPerWord);
    const u32 b = bit<u32>(intid % kIrqsPerWord);
    if (intid >= kIrqsPerWord && (irqs_->shared(intid / kIrqsPerWord).physical & b) != 0)
        return false;                       // how it ended matters to the hardware
    const bool is_timer = cpu.timer.masked; // its wire falls with the end
    const bool was_linked = entry.hardware_linked;
    if (((is_timer ? irq.latched : irq.waiting()) & b) != 0)
        return false; // it comes again
    entry = ListEntry{};
    cpu.lists_in_use = 0;
    const u32 others = ~b;
    irq.listed &= others;
    irq.lr_latch &= others;
    irq.active &= others;
    irq.drop_active &= others;
    irq.want_active &= others;
    if ((irq.listened & b) != 0)
        irqs_->note_finished(cpu_, intid);
    if (is_timer) {
        cpu.timer.masked = false;
        irq.wire &= others;
        if (!was_linked)
            timer_->unmask();
    }
    return true;
}

/// The one list register in use, when its private interrupt has ended (`ended`: take_ended()) and is still the same as when
/// it was listed; nullptr when there is more to think of.
ListEntry *CpuDelivery::sole_entry(u32 ended) {
    CpuState &cpu = state();
    if (ended != cpu.lists_in_use || !is_power_of_two(ended) || cpu.candidate_words != 0 || cpu.chores != 0)
        return nullptr;
    ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(ended))];
    if (entry.intid >= kIrqsPerWord || entry.eoi_maintenance || entry.orphan)
        return nullptr;
    const IrqWord &irq = cpu.irq;
    const u32 b = bit<u32>(entry.intid);
    if ((irqs_->forwarded_bits(irq) & ~irq.listened & b) == 0 || entry.priority != irq.priority[entry.intid] ||
        entry.group1 != ((irq.group1 & b) != 0))
        return nullptr;
    return &entry;
}

/// The same SGI, from one sender.
bool CpuDelivery::load_sgi_again(u32 ended) {
    CpuState &cpu = state();
    ListEntry *entry = sole_entry(ended);
    if (entry == nullptr || entry->intid >= kSgiCount || cpu.timer.masked)
        return false;
    u8 &sources = cpu.sgi_sources[entry->intid];
    if (!is_power_of_two(sources))
        return false;
    entry->source = static_cast<u8>(std::countr_zero(sources));
    entry->source_cpu = abilities_.source_cpu ? entry->source : u8{0};
    sources = 0;
    const u32 b = bit<u32>(entry->intid);
    cpu.irq.latched &= ~b;
    cpu.irq.lr_latch |= b;
    load_again(*entry);
    return true;
}

bool CpuDelivery::send_sgi_again(u32 sgi, u8 source) {
    CpuState &cpu = state();
    if (cpu.lists_in_use == 0 || cpu.woken || cpu.timer.masked || cpu.sgi_sources[sgi] != 0)
        return false;
    const u32 ended = take_ended();
    ListEntry *entry = sole_entry(ended);
    if (entry == nullptr || entry->intid != sgi) {
        fold_lists(ended); // or they would not be heard of again
        return false;
    }
    entry->source = source;
    entry->source_cpu = abilities_.source_cpu ? source : u8{0};
    cpu.irq.lr_latch |= bit<u32>(sgi);
    load_again(*entry);
    return true;
}

/// The virtual timer, whose last interrupt the guest ended through the link.
bool CpuDelivery::load_timer_again(u32 ended, u32 intid) {
    CpuState &cpu = state();
    ListEntry *entry = sole_entry(ended);
    if (entry == nullptr || entry->intid != intid || !entry->hardware_linked)
        return false;
    IrqWord &irq = cpu.irq;
    const u32 b = bit<u32>(intid);
    if (((irq.edge | irq.latched) & b) != 0)
        return false;
    irq.wire |= b;
    irq.lr_latch &= ~b;
    cpu.timer.masked = true;
    load_again(*entry);
    return true;
}

void CpuDelivery::load_again(ListEntry &entry) {
    CpuState &cpu = state();
    const u32 others = ~bit<u32>(entry.intid);
    cpu.irq.active &= others;
    cpu.irq.drop_active &= others;
    cpu.irq.want_active &= others;
    entry.state = ListRegisterState::pending;
    entry.running_priority = 0;
    static_cast<void>(write(static_cast<u32>(std::countr_zero(cpu.lists_in_use))));
}

} // namespace sel4vm::dev
