// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/time_account.hpp>

namespace sel4vm::el2 {

// What has come together from the mark to `now`.
TimeAccount::Spent TimeAccount::since(u64 mark, u64 runs_since, u64 now) {
    Spent spent{};
    const u64 begin = begin_of(mark);
    const u64 change = runs_since != 0 ? runs_since : now;
    // Another CPU may have changed it after the caller looked at the clock.
    if (is_before(begin, change))
        spent[mark >> kUseShift] = change - begin;
    if (is_before(change, now))
        spent[static_cast<usize>(TimeUse::running)] += now - change;
    return spent;
}

void TimeAccount::become(TimeUse use, u64 now) {
    const u64 mark = mark_.load(std::memory_order_relaxed);
    const u64 runs_since = runs_since_.load(std::memory_order_relaxed);
    mark_.store(kChanging, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    if (runs_since == 0) [[likely]] {
        const u64 begin = begin_of(mark);
        if (is_before(begin, now))
            spend(mark >> kUseShift, now - begin);
    } else {
        const Spent more = since(mark, runs_since, now);
        for (usize i = 0; i < kUses; ++i)
            spend(i, more[i]);
        runs_since_.store(0, std::memory_order_relaxed);
    }
    mark_.store(u64{static_cast<u8>(use)} << kUseShift | now, std::memory_order_release);
}

VcpuTimes TimeAccount::read(u64 now) const {
    for (;;) {
        const u64 mark = mark_.load(std::memory_order_acquire);
        const u64 runs_since = runs_since_.load(std::memory_order_acquire);
        Spent spent = since(mark, runs_since, now);
        for (usize i = 0; i < kUses; ++i)
            spent[i] += spent_[i].load(std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_acquire);
        if (mark == kChanging || mark_.load(std::memory_order_relaxed) != mark ||
            runs_since_.load(std::memory_order_relaxed) != runs_since)
            continue;
        return {.running_ticks = spent[static_cast<usize>(TimeUse::running)],
                .waiting_ticks = spent[static_cast<usize>(TimeUse::waiting)],
                .stolen_ticks = spent[static_cast<usize>(TimeUse::stolen)]};
    }
}

} // namespace sel4vm::el2
