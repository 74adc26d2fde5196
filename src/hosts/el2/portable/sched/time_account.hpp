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

enum class TimeUse : u8 { nothing, waiting, stolen, running };

class TimeAccount {
public:
    /// From `now` on. Its Processor only.
    void become(TimeUse use, u64 now);
    /// It runs from `now` on: the same in one store, for the shortest way out of a wait.
    void run_again(u64 now) {
        if (runs_since_.load(std::memory_order_relaxed) == 0)
            runs_since_.store(now, std::memory_order_release);
    }

    /// What was stolen until the last change. Its Processor, or whoever knows that nothing changes.
    [[nodiscard]] u64 stolen() const {
        return spent_[static_cast<usize>(TimeUse::stolen)].load(std::memory_order_relaxed);
    }

    /// With what has passed until `now`. From anywhere.
    [[nodiscard]] VcpuTimes read(u64 now) const;

private:
    static constexpr usize kUses = 4;
    static constexpr unsigned kUseShift = 62;
    static constexpr u64 kChanging = ~u64{0};
    using Spent = std::array<u64, kUses>;
    [[nodiscard]] static u64 begin_of(u64 mark) { return mark & ~(u64{3} << kUseShift); }
    void spend(usize use, u64 ticks) {
        spent_[use].store(spent_[use].load(std::memory_order_relaxed) + ticks, std::memory_order_relaxed);
    }
    [[nodiscard]] static Spent since(u64 mark, u64 runs_since, u64 now);

    std::atomic<u64> mark_{0};                    ///< since when, and in the upper bits a TimeUse
    std::atomic<u64> runs_since_{0};              ///< not 0: from then on it ran, whatever the mark says
    std::array<std::atomic<u64>, kUses> spent_{}; ///< until the mark
};

} // namespace sel4vm::el2
