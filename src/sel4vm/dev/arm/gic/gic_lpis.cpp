// SPDX-License-Identifier: BSD-2-Clause
//
// What an ITS asks of the chip. `caller`: the vCPU whose exit it is, or nobody.
#include <sel4vm/dev/arm/gic/gic.hpp>

namespace sel4vm::dev {

void Gic::pend_lpi(u32 cpu, u32 intid, u32 caller) {
    // The caller's own is listed at once.
    const Held held = enter({caller == cpu ? Part::own_and_shared : Part::shared, cpu}, caller);
    core_.irqs().pend_lpi(cpu, intid);
    leave(caller, held);
}

void Gic::clear_lpi(u32 cpu, u32 intid, u32 caller) {
    const Held held = enter({Part::own_and_shared, cpu}, caller);
    core_.irqs().clear_lpi(cpu, intid);
    leave(caller, held);
}

void Gic::move_lpi(u32 from, u32 to, u32 intid) {
    const Held held = enter({Part::all}, kNobody);
    core_.irqs().move_lpi(from, to, intid);
    leave(kNobody, held);
}

void Gic::move_all_lpis(u32 from, u32 to) {
    const Held held = enter({Part::all}, kNobody);
    core_.irqs().move_all_lpis(from, to);
    leave(kNobody, held);
}

void Gic::configure_lpis(u32 first, std::span<const u8> entries) {
    const Held held = enter({Part::all}, kNobody);
    core_.irqs().lpis().configure(first, entries);
    core_.irqs().lpis_changed();
    leave(kNobody, held);
}

void Gic::set_pending_lpis(u32 cpu, const PendingLpis &more) {
    const Held held = enter({Part::shared}, kNobody);
    core_.irqs().set_pending_lpis(cpu, more);
    leave(kNobody, held);
}

[[gnu::cold]] PendingLpis Gic::pending_lpis(u32 cpu) {
    const Held held = enter({Part::own_and_shared, cpu}, kNobody);
    const PendingLpis all = core_.delivery(cpu).pending_lpis();
    leave(kNobody, held);
    return all;
}

} // namespace sel4vm::dev
