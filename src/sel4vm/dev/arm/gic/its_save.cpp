// SPDX-License-Identifier: BSD-2-Clause
//
// Saving and restoring. What the tables map is in the guest's memory, which others save.
#include <sel4vm/dev/arm/gic/its.hpp>

namespace sel4vm::dev {

namespace {
constexpr u32 kOffsets = 0xf'ffe0; // of GITS_CWRITER and CREADR
}

[[gnu::cold]] void Its::save(ItsSnapshot &to) {
    LockGuard guard(lock_);
    to = {};
    to.its = state_;
    // What one vCPU's list registers still hold may have been moved to another.
    for (u32 n = 0; n < gic_.vcpu_count(); ++n)
        static_cast<void>(gic_.pending_lpis(n));
    for (u32 n = 0; n < gic_.vcpu_count(); ++n) {
        to.cpus[n] = cpus_[n];
        to.pending[n] = gic_.pending_lpis(n);
    }
}

[[gnu::cold]] void Its::restore(const ItsSnapshot &from) {
    LockGuard guard(lock_);
    // As a guest would have written it.
    state_ = {};
    cpus_ = {};
    set_command_queue(from.its.command_queue);
    set_table({VcpuId{0}, 0}, from.its.devices);
    set_table({VcpuId{0}, 1}, from.its.collections);
    write_redistributor(0, aarch64::gicr::kPropbaser, from.its.configuration);
    state_.written = from.its.written & kOffsets;
    state_.read = from.its.read & kOffsets;
    state_.stalled = from.its.stalled & 1;
    state_.enabled = from.its.enabled & 1;
    bool any = false;
    for (u32 n = 0; n < gic_.vcpu_count(); ++n) {
        write_redistributor(n, aarch64::gicr::kPendbaser, from.cpus[n].pending_table);
        cpus_[n].enabled = from.cpus[n].enabled & 1;
        any = any || cpus_[n].enabled != 0;
    }
    for (u32 n = 0; n < kMostParts && any && reload_all() == Outcome::later; ++n) {
    }
    for (u32 n = 0; n < gic_.vcpu_count(); ++n) {
        if (cpus_[n].enabled != 0)
            gic_.set_pending_lpis(n, from.pending[n]);
    }
    worker_ = kNobody;
    if (has_commands())
        hand_over(kNobody);
}

} // namespace sel4vm::dev
