// SPDX-License-Identifier: BSD-2-Clause
//
// What an ITS asks of the chip. `caller`: the vCPU whose exit it is, or nobody.
#include <sel4vm/dev/arm/gic/gic.hpp>

namespace sel4vm::dev {

void Gic::pend_lpi(u32 cpu, u32 intid, u32 caller) {
    lock_.lock();
    core_.irqs().pend_lpi(cpu, intid);
    leave(caller);
}

void Gic::clear_lpi(u32 cpu, u32 intid, u32 caller) {
    lock_.lock();
    core_.irqs().clear_lpi(cpu, intid);
    leave(caller);
}

void Gic::move_lpi(u32 from, u32 to, u32 intid) {
    lock_.lock();
    core_.irqs().move_lpi(from, to, intid);
    leave(kNobody);
}

void Gic::move_all_lpis(u32 from, u32 to) {
    lock_.lock();
    core_.irqs().move_all_lpis(from, to);
    leave(kNobody);
}

void Gic::configure_lpis(u32 first, std::span<const u8> entries) {
    lock_.lock();
    core_.irqs().lpis().configure(first, entries);
    core_.irqs().lpis_changed();
    leave(kNobody);
}

void Gic::set_pending_lpis(u32 cpu, const PendingLpis &more) {
    lock_.lock();
    core_.irqs().set_pending_lpis(cpu, more);
    leave(kNobody);
}

[[gnu::cold]] PendingLpis Gic::pending_lpis(u32 cpu) {
    lock_.lock();
    const PendingLpis all = core_.delivery(cpu).pending_lpis();
    leave(kNobody);
    return all;
}

} // namespace sel4vm::dev
