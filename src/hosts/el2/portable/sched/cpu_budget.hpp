// SPDX-License-Identifier: BSD-2-Clause
//
// So much time in every period: a sporadic server, as seL4's MCS kernel has them. The budget lies in chunks, each with the time from which
// on it may be used. What is used of a chunk comes back a period after the chunk's time; a chunk that was not needed when its time
// came has the time at which somebody begins to use it, so that nothing is saved up. Then no more is ever used in any time T than
// (T / period + 1) budgets, rounded up, and what was too much by an interrupt's length comes off the following chunks.
// There are only so many chunks: when one more would be needed, the last takes it and comes later, never earlier.
//
// Pure: time is an argument. Not thread-safe.
#pragma once

#include <hosts/el2/portable/sched/ticks.hpp>

#include <sel4vm/host/services.hpp>

#include <algorithm>
#include <array>

namespace sel4vm::el2 {

class CpuBudget {
public:
    static constexpr u32 kMaxChunks = 8;

    /// No limit.
    CpuBudget() = default;
    /// `budget` and `period` in ticks, 0 < budget <= period; from now on there is all of it.
    CpuBudget(u64 budget, u64 period, u64 now) : budget_(budget), period_(period), count_(1) {
        chunks_[0] = {now, budget};
    }

    [[nodiscard]] bool limited() const { return count_ != 0; }
    /// From now on by a clock, `part` of `whole` of the budget.
    [[nodiscard]] static CpuBudget of_microseconds(u64 budget_us, u64 period_us, Clock &clock, u64 part = 1,
                                                   u64 whole = 1) {
        constexpr u64 kMillion = 1'000'000;
        const u64 frequency = clock.ticks_per_second();
        const u64 period = std::max<u64>(period_us * frequency / kMillion, 1);
        const u64 budget = std::clamp<u64>(budget_us * frequency / kMillion * part / whole, 1, period);
        return {budget, period, clock.now_ticks()};
    }

    /// Something may be used now.
    [[nodiscard]] bool available(u64 now) const { return !is_before(now, chunks_[0].at); }
    /// When that is so; for one that has nothing now.
    [[nodiscard]] u64 available_at() const { return chunks_[0].at; }
    [[nodiscard]] bool in_use() const { return !resting_; }
    /// Until when somebody can go on who uses it from `now` on without a break.
    [[nodiscard]] u64 lasts_until(u64 now) const;

    /// `ticks` were used until `now`.
    void use(u64 ticks, u64 now);
    /// Nobody wants it from now on, until the next use.
    void rest() { resting_ = true; }
    /// Somebody wants it from `now` on.
    void begin(u64 now);

private:
    struct Chunk {
        u64 at;
        u64 ticks;
    };
    void drop_first();
    void come_back(u64 ticks, u64 at);

    u64 budget_ = 0;
    u64 period_ = 0;
    std::array<Chunk, kMaxChunks> chunks_{}; ///< the first to be used first; their sum is the budget
    u32 count_ = 0;
    bool resting_ = true;
};

} // namespace sel4vm::el2
