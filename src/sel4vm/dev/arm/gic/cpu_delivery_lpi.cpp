// SPDX-License-Identifier: BSD-2-Clause
//
// LPIs in list registers. To everything else such a list register looks like an orphan: in use, and of no interrupt that the state machine
// knows. One list register at least is left to the others, so that a more urgent one of them never waits behind an LPI; which of those that
// are listed comes first is the hardware's business.
//
// An LPI has no active state (IHI 0069, "LPIs"): a list register whose LPI was acknowledged is taken away as soon as it is seen, whether the
// hardware keeps it until the guest's end or not.
#include <sel4vm/dev/arm/gic/cpu_delivery.hpp>

namespace sel4vm::dev {

using aarch64::kFirstLpi;
using aarch64::ListRegisterState;

template <class Function>
void CpuDelivery::for_each_listed_lpi(Function function) {
    for (u32 used = state().lists_in_use; used != 0; used &= used - 1) {
        const u32 index = static_cast<u32>(std::countr_zero(used));
        if (lpi_entry::is_one(state().lists[index]))
            function(index, state().lists[index]);
    }
}

/// What the guest did with them, and what was done to them meanwhile. Those that stay are pending.
[[gnu::noinline, gnu::cold]] void CpuDelivery::fold_lpis() {
    Lpis &lpis = irqs_->lpis();
    for_each_listed_lpi([&](u32 index, ListEntry &entry) {
        const u32 lpi = entry.intid - kFirstLpi;
        const bool pending = has_pending(lists_->read(index).state);
        if (pending && entry.source == lpi_entry::kStays && irqs_->forwards_lpis() && lpis.is_enabled(lpi)) {
            lpis.clear_pending(cpu_, lpi); // pending once more is still pending
            if (entry.priority == lpis.priority(lpi))
                return;
            entry.priority = lpis.priority(lpi);
            static_cast<void>(write(index));
            return;
        }
        if (pending)
            take_lpi_back(index);
        else
            release(index);
        empty(index);
    });
}

/// One that is pending. The caller overwrites the list register.
void CpuDelivery::take_lpi_back(u32 index) {
    const ListEntry entry = state().lists[index];
    release(index);
    if (entry.source == lpi_entry::kStays)
        irqs_->pend_lpi(cpu_, entry.intid);
    else if (entry.source != lpi_entry::kDropped)
        irqs_->pend_lpi(lpi_entry::target(entry.source), entry.intid);
}

/// The most urgent ones get list registers.
[[gnu::noinline, gnu::cold]] void CpuDelivery::list_lpis() {
    Lpis &lpis = irqs_->lpis();
    u32 listed = 0;
    for_each_listed_lpi([&listed](u32, const ListEntry &) { ++listed; });
    while (const auto next = next_lpi()) {
        const u32 index = place_for_lpi(*next, listed);
        if (index == kNone) {
            report_each_end();
            return;
        }
        ListEntry entry;
        entry.state = ListRegisterState::pending;
        entry.intid = kFirstLpi + next->lpi;
        entry.priority = next->priority;
        entry.orphan = true;
        state().lists[index] = entry;
        state().lists_in_use |= bit<u32>(index);
        lpis.clear_pending(cpu_, next->lpi);
        if (!write(index)) [[unlikely]] {
            take_lpi_back(index);
            return;
        }
        ++listed;
    }
    if (listed == 0)
        state().chores &= static_cast<u8>(~chore::kLpis);
}

std::optional<Lpis::Choice> CpuDelivery::next_lpi() {
    return irqs_->forwards_lpis() ? irqs_->lpis().best(cpu_) : std::nullopt;
}

u32 CpuDelivery::place_for_lpi(const Lpis::Choice &choice, u32 &listed) {
    if (listed + 1 < abilities_.count) {
        if (const u32 free = free_lists(); free != 0)
            return static_cast<u32>(std::countr_zero(free));
        // The first is listed beside others that are as urgent, so that LPIs come at all while many of those wait.
        return make_room(listed == 0 && choice.priority != 0 ? static_cast<u8>(choice.priority - 1) : choice.priority);
    }
    u32 victim = kNone;
    u32 worst = choice.priority;
    for_each_listed_lpi([&](u32 index, const ListEntry &entry) {
        if (entry.priority > worst) {
            worst = entry.priority;
            victim = index;
        }
    });
    if (victim != kNone) {
        take_lpi_back(victim);
        --listed;
    }
    return victim;
}

/// The vCPU goes off, or is reset: they stay pending.
[[gnu::noinline, gnu::cold]] void CpuDelivery::give_back_lpis() {
    fold_lpis();
    for_each_listed_lpi([this](u32 index, const ListEntry &) {
        take_lpi_back(index);
        empty(index);
    });
}

/// Whether one that waits for a list register would be signalled.
[[gnu::noinline, gnu::cold]] bool CpuDelivery::lpi_passes(const InterfaceGate &open) {
    const auto next = next_lpi();
    return next && open.passes(next->priority, true);
}

[[gnu::cold]] PendingLpis CpuDelivery::pending_lpis() {
    fold_lpis();
    PendingLpis all = irqs_->lpis().pending(cpu_);
    for_each_listed_lpi([&all](u32, const ListEntry &entry) {
        const u32 lpi = entry.intid - kFirstLpi;
        all.bits[lpi / 32] |= bit<u32>(lpi % 32);
    });
    return all;
}

} // namespace sel4vm::dev
