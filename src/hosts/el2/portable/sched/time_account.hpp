// SPDX-License-Identifier: BSD-2-Clause
//
// What one vCPU's time goes to. Its Processor says when that changes (at a switch, a block, a wake-up; not at exits), anybody
// may read: a reader that a change came between reads again.
#pragma once

#include <hosts/el2/portable/sched/ticks.hpp>

#include <sel4vm/host/vcpu_times.hpp>

#include <array>
#include <atomic>

namespace sel4vm::el2 {

enum class TimeUse : u8 { nothing, running, waiting, stolen };

class TimeAccount {
public:
    /// From `now` on. Its Processor only.
    void become(TimeUse use, u64 now) {
        const u32 changes = changes_.load(std::memory_order_relaxed);
        changes_.store(changes + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        std::atomic<u64> &spent = spent_[static_cast<usize>(this->use())];
        spent.store(spent.load(std::memory_order_relaxed) + now - since_.load(std::memory_order_relaxed),
                    std::memory_order_relaxed);
        since_.store(now, std::memory_order_relaxed);
        use_.store(use, std::memory_order_relaxed);
        changes_.store(changes + 2, std::memory_order_release);
    }
    [[nodiscard]] TimeUse use() const { return use_.load(std::memory_order_relaxed); }

    /// With what has passed until `now`. From anywhere.
    [[nodiscard]] VcpuTimes read(u64 now) const {
        for (;;) {
            const u32 before = changes_.load(std::memory_order_acquire);
            std::array<u64, kUses> spent{};
            for (usize i = 0; i < kUses; ++i)
                spent[i] = spent_[i].load(std::memory_order_relaxed);
            const u64 since = since_.load(std::memory_order_relaxed);
            const TimeUse use = this->use();
            std::atomic_thread_fence(std::memory_order_acquire);
            if (changes_.load(std::memory_order_relaxed) != before || before % 2 != 0)
                continue;
            if (is_before(since, now)) // another CPU may have changed it after the caller looked at the clock
                spent[static_cast<usize>(use)] += now - since;
            return {of(spent, TimeUse::running), of(spent, TimeUse::waiting), of(spent, TimeUse::stolen)};
        }
    }

private:
    static constexpr usize kUses = 4;
    static u64 of(const std::array<u64, kUses> &spent, TimeUse use) { return spent[static_cast<usize>(use)]; }

    std::atomic<u32> changes_{0}; ///< twice how often it changed; odd in between
    std::atomic<TimeUse> use_{TimeUse::nothing};
    std::atomic<u64> since_{0};
    std::array<std::atomic<u64>, kUses> spent_{};
};

} // namespace sel4vm::el2
