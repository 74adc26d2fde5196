// SPDX-License-Identifier: BSD-2-Clause
//
// A vCPU that goes off, or is reset, gives back what its list registers hold; when it starts it takes what waits.
#include <sel4vm/dev/arm/gic/cpu_delivery.hpp>

namespace sel4vm::dev {

[[gnu::noinline, gnu::cold]] void CpuDelivery::give_back() {
    CpuState &cpu = state();
    fold();
    if ((cpu.chores & chore::kLpis) != 0)
        give_back_lpis();
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const u32 index = static_cast<u32>(std::countr_zero(used));
        if (abilities_.clear)
            let_go(index);
        else
            abandon(index);
    }
    forget_unlisted();
    cpu.chores = 0;
    if (abilities_.maintenance_control)
        ask_maintenance(~u32{0}, 0);
    if (abilities_.read_back)
        lists_->set_interface_control(0);
}

/// Empties a list register. What is active stays so, in the distributor.
void CpuDelivery::let_go(u32 index) {
    const ListEntry &entry = state().lists[index];
    if (entry.orphan) {
        release(index);
    } else {
        IrqWord &irq = word_of(entry);
        const u32 others = ~bit<u32>(entry.intid % kIrqsPerWord);
        irq.drop_active &= others;
        irq.want_active &= others;
        withdraw(index);
    }
    empty(index);
}

/// A list register that cannot be emptied. When the vCPU starts again its guest will find the interrupt there, and until it ends
/// the INTID must not be in a second list register; but others can have a shared one meanwhile.
void CpuDelivery::abandon(u32 index) {
    CpuState &cpu = state();
    ListEntry &entry = cpu.lists[index];
    if (entry.intid == kUnknownIntid)
        return;
    if (!entry.orphan)
        give_back_latch(entry);
    entry.orphan = true;
    if (entry.intid < kIrqsPerWord)
        return;
    IrqWord &irq = word_of(entry);
    const u32 w = entry.intid / kIrqsPerWord;
    const u32 b = bit<u32>(entry.intid % kIrqsPerWord);
    if (!irqs_->is_held_by(cpu_, entry.intid))
        return; // another has it already
    irq.listed &= ~b;
    cpu.leftovers = true;
    irqs_->update(*state_, w, b);
}

/// Whether a list register that this vCPU let go still has it. Then it waits for the end of that one.
[[gnu::noinline, gnu::cold]] bool CpuDelivery::claim_again(u32 intid) {
    const CpuState &cpu = state();
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
        if (!entry.orphan || entry.intid != intid)
            continue;
        const u32 b = bit<u32>(intid % kIrqsPerWord);
        word_of(entry).listed |= b;
        irqs_->set_holder(cpu_, intid);
        irqs_->update(*state_, intid / kIrqsPerWord, b);
        return true;
    }
    return false;
}

void CpuDelivery::start() {
    CpuState &cpu = state();
    // The port was reset, and with one vCPU the hardware finds every active interrupt in this one's list registers.
    cpu.traps_deactivation = false;
    trap_deactivation(false);
    if (cpu.timer.masked) {
        // The timer was reset, and its wire is low.
        cpu.timer.masked = false;
        irqs_->set_wire(cpu_, cpu.timer.intid, Level::low);
        timer_->unmask();
    }
    if (kept_timer_) {
        timer_->set_state(*kept_timer_); // it fires again if its condition still holds
        kept_timer_.reset();
    }
}

} // namespace sel4vm::dev
