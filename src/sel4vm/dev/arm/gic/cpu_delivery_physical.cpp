// SPDX-License-Identifier: BSD-2-Clause
//
// An interrupt of the hardware that comes for the vCPU that executes: the long way, and the short ones as in cpu_delivery_alone.cpp.
#include <sel4vm/dev/arm/gic/cpu_delivery.hpp>

namespace sel4vm::dev {

using aarch64::ListRegisterState;

void CpuDelivery::physical_fired(u32 intid) {
    CpuState &cpu = state();
    if (cpu.lists_in_use != 0) {
        const u32 ended = take_ended();
        if (load_physical_again(ended, intid))
            return;
        fold_lists(ended); // the end of the last one must not be taken for the end of this one
    } else if (load_physical_alone(intid)) {
        return;
    }
    if (cpu.unlisted != 0) [[unlikely]]
        fold_unlisted();
    irqs_->take_physical(intid);
    correct_and_load(TimerNews::none);
}

/// While nothing else is about.
bool CpuDelivery::load_physical_alone(u32 intid) {
    CpuState &cpu = state();
    const u32 i = intid % kIrqsPerWord;
    const u32 b = bit<u32>(i);
    SharedWord &place = irqs_->shared(intid / kIrqsPerWord);
    IrqWord &irq = place.irq;
    const u32 not_fresh = irq.wire | irq.latched | irq.active | irq.listed | place.taken;
    if ((cpu.candidate_words | cpu.chores) != 0 || cpu.timer.masked || place.target[i] != cpu_ ||
        (irqs_->forwarded_bits(irq) & ~not_fresh & b) == 0)
        return false;
    ListEntry &entry = cpu.lists[0];
    entry = ListEntry{};
    entry.state = ListRegisterState::pending;
    entry.intid = intid;
    entry.priority = irq.priority[i];
    entry.group1 = (irq.group1 & b) != 0;
    entry.hardware_linked = links_physical_;
    entry.physical_intid = static_cast<u16>(links_physical_ ? intid : 0);
    entry.eoi_maintenance = !links_physical_;
    place.taken |= b;
    irq.wire |= b;
    irq.lr_latch |= irq.edge & b;
    irq.listed |= b;
    place.holder[i] = static_cast<u8>(cpu_);
    cpu.lists_in_use = 1;
    if (!write(0)) [[unlikely]]
        refused(0); // a candidate now
    return true;
}

/// The same one, whose last occurrence the guest ended through the link, and whose list register is the only one in use (`ended`: take_ended()).
bool CpuDelivery::load_physical_again(u32 ended, u32 intid) {
    CpuState &cpu = state();
    if (ended != cpu.lists_in_use || !is_power_of_two(ended) || (cpu.candidate_words | cpu.chores) != 0 ||
        cpu.timer.masked)
        return false;
    const u32 index = static_cast<u32>(std::countr_zero(ended));
    ListEntry &entry = cpu.lists[index];
    if (entry.intid != intid || !entry.hardware_linked || entry.orphan)
        return false;
    const u32 i = intid % kIrqsPerWord;
    const u32 b = bit<u32>(i);
    SharedWord &place = irqs_->shared(intid / kIrqsPerWord);
    IrqWord &irq = place.irq;
    if ((irqs_->forwarded_bits(irq) & place.taken & ~(irq.latched | place.again) & b) == 0 || place.target[i] != cpu_ ||
        entry.priority != irq.priority[i] || entry.group1 != ((irq.group1 & b) != 0))
        return false;
    // Taken, listed and with a high wire it is already.
    irq.lr_latch = (irq.lr_latch & ~b) | (irq.edge & b);
    irq.active &= ~b;
    irq.drop_active &= ~b;
    irq.want_active &= ~b;
    entry.state = ListRegisterState::pending;
    entry.running_priority = 0;
    entry.injected_active = false;
    static_cast<void>(write(index));
    return true;
}

} // namespace sel4vm::dev
