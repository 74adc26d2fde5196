// SPDX-License-Identifier: BSD-2-Clause
//
// Points in time of the physical counter: when a guest's virtual timer fires, and the earliest of several.
#pragma once

#include <hosts/el2/portable/sched/ticks.hpp>

#include <sel4vm/arch/aarch64/ports/timer_port.hpp>

namespace sel4vm::el2 {

/// When the timer's interrupt is raised, in ticks of the physical counter, not before `now`; kNever when it is off or
/// masked by the guest. `offset` is CNTVOFF_EL2; it may be "negative" (a guest whose counter runs ahead of the host's).
[[nodiscard]] constexpr u64 virtual_timer_fires_at(const aarch64::VirtualTimerState &timer, u64 offset, u64 now) {
    constexpr u32 kEnable = 1;
    constexpr u32 kMask = 2;
    if ((timer.control & (kEnable | kMask)) != kEnable)
        return kNever;
    const u64 guest_now = now - offset;
    if (timer.compare_value <= guest_now)
        return now;
    const u64 ahead = timer.compare_value - guest_now;
    return ahead < kNever - now ? now + ahead : kNever;
}

/// The smallest of what it is offered.
class Earliest {
public:
    constexpr Earliest &offer(u64 ticks) {
        if (ticks < ticks_)
            ticks_ = ticks;
        return *this;
    }
    [[nodiscard]] constexpr u64 ticks() const { return ticks_; }

private:
    u64 ticks_ = kNever;
};

} // namespace sel4vm::el2
