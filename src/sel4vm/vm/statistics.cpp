// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/statistics.hpp>

namespace sel4vm {

namespace {

/// Without a sum that wraps before the counter does.
u64 nanoseconds(u64 ticks, u64 ticks_per_second) {
    constexpr u64 kNanoseconds = 1'000'000'000;
    return ticks / ticks_per_second * kNanoseconds + ticks % ticks_per_second * kNanoseconds / ticks_per_second;
}

} // namespace

u64 VcpuStatistics::all_exits() const {
    u64 sum = 0;
    for (const u64 count : exits)
        sum += count;
    return sum;
}

VcpuStatistics statistics_of(const Vcpu &vcpu, Clock &clock) {
    const VcpuCounts counts = vcpu.port().counts();
    VcpuStatistics result;
    result.exits = vcpu.counters().by_kind;
    result.interrupts = counts.interrupts;
    result.kicks = counts.kicks;
    const u64 per_second = clock.ticks_per_second();
    if (const auto times = vcpu.port().times(); times && per_second != 0)
        result.times = VcpuNanoseconds{nanoseconds(times->running_ticks, per_second),
                                       nanoseconds(times->waiting_ticks, per_second),
                                       nanoseconds(times->stolen_ticks, per_second)};
    return result;
}

} // namespace sel4vm
