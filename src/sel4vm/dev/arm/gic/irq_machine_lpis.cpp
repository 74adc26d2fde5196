// SPDX-License-Identifier: BSD-2-Clause
//
// What the ITS does to LPIs. One that is in a list register is marked there: the vCPU that holds it looks when it next exits, and is asked to.
#include <sel4vm/dev/arm/gic/irq_machine.hpp>

namespace sel4vm::dev {

using aarch64::kFirstLpi;

namespace {

/// The list register of this vCPU that holds an LPI, or nullptr.
ListEntry *listed(CpuState &cpu, u32 intid) {
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
        if (entry.orphan && entry.intid == intid)
            return &entry;
    }
    return nullptr;
}

} // namespace

void IrqMachine::serve_lpis(u32 cpu) {
    CpuState &target = cpus_[cpu];
    if (target.sees_shared)
        target.chores |= chore::kLpis;
    else
        target.shared_words.store(target.shared_words.load(std::memory_order_relaxed) | CpuState::kAskedForLpis,
                                  std::memory_order_relaxed);
    wake(cpu);
}

void IrqMachine::pend_lpi(u32 cpu, u32 intid) {
    const u32 lpi = intid - kFirstLpi;
    lpis_.set_pending(cpu, lpi);
    if (lpis_.is_enabled(lpi))
        serve_lpis(cpu);
}

void IrqMachine::clear_lpi(u32 cpu, u32 intid) {
    lpis_.clear_pending(cpu, intid - kFirstLpi);
    if (ListEntry *entry = listed(cpus_[cpu], intid)) {
        entry->source = lpi_entry::kDropped;
        wake(cpu);
    }
}

void IrqMachine::move_lpi(u32 from, u32 to, u32 intid) {
    if (from == to)
        return;
    if (lpis_.is_pending(from, intid - kFirstLpi)) {
        lpis_.clear_pending(from, intid - kFirstLpi);
        pend_lpi(to, intid);
    }
    if (ListEntry *entry = listed(cpus_[from], intid)) {
        if (entry->source == lpi_entry::kStays)
            entry->source = lpi_entry::moves_to(to);
        wake(from);
    }
}

void IrqMachine::move_all_lpis(u32 from, u32 to) {
    if (from == to)
        return;
    lpis_.move_all(from, to);
    CpuState &cpu = cpus_[from];
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
        if (lpi_entry::is_one(entry) && entry.source == lpi_entry::kStays)
            entry.source = lpi_entry::moves_to(to);
    }
    if ((cpu.chores & chore::kLpis) != 0)
        wake(from);
    serve_lpis(to);
}

void IrqMachine::set_pending_lpis(u32 cpu, const PendingLpis &more) {
    lpis_.set_pending(cpu, more);
    serve_lpis(cpu);
}

void IrqMachine::lpis_changed() {
    if (!lpis_.exist())
        return;
    for (u32 n = 0; n < cpu_count(); ++n) {
        if ((cpus_[n].chores & chore::kLpis) != 0 || lpis_.any_pending(n))
            serve_lpis(n);
    }
}

} // namespace sel4vm::dev
