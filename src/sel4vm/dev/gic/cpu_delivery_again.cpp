// SPDX-License-Identifier: BSD-2-Clause
//
// The short way for one interrupt that comes again and again while no other is about, which is what timers and SGIs mostly
// do: its list register says nearly everything already. Each function here does in one step what finishing it, finding it
// pending, and listing it would do one after the other, or nothing at all.
#include <sel4vm/dev/gic/cpu_delivery.hpp>

namespace sel4vm::dev {

using aarch64::ListRegisterState;

/// The one list register in use, when its private interrupt has ended (`ended`: take_ended()) and is still the same as when
/// it was listed; nullptr when there is more to think of.
ListEntry *CpuDelivery::sole_entry(u32 ended) {
    CpuState &cpu = state();
    if (ended != cpu.lists_in_use || !is_power_of_two(ended) || cpu.candidate_words != 0 || cpu.software_active ||
        cpu.underflow_maintenance)
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
    irqs_->forget_wake(cpu);
}

} // namespace sel4vm::dev
