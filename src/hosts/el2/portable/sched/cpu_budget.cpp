// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/cpu_budget.hpp>

#include <algorithm>

namespace sel4vm::el2 {

u64 CpuBudget::lasts_until(u64 now) const {
    u64 until = now;
    for (u32 i = 0; i < count_ && !is_before(until, chunks_[i].at); ++i)
        until += chunks_[i].ticks;
    return until;
}

void CpuBudget::drop_first() {
    std::copy(chunks_.begin() + 1, chunks_.begin() + count_, chunks_.begin());
    --count_;
}

void CpuBudget::begin(u64 now) {
    if (!resting_ || count_ == 0)
        return;
    resting_ = false;
    // What could have been used before and was not is there from now on, in one piece.
    while (count_ > 1 && !is_before(now, chunks_[1].at)) {
        chunks_[1].ticks += chunks_[0].ticks;
        drop_first();
    }
    if (is_before(chunks_[0].at, now))
        chunks_[0].at = now;
}

void CpuBudget::come_back(u64 ticks, u64 at) {
    if (count_ != 0 && (chunks_[count_ - 1].at == at || count_ == kMaxChunks)) {
        chunks_[count_ - 1].ticks += ticks;
        chunks_[count_ - 1].at = at;
        return;
    }
    chunks_[count_++] = {at, ticks};
}

void CpuBudget::use(u64 ticks, u64 now) {
    begin(now - ticks);
    // All of it several times over: everything comes so many periods later.
    if (const u64 rounds = ticks / budget_; rounds != 0) {
        for (u32 i = 0; i < count_; ++i)
            chunks_[i].at += rounds * period_;
        ticks -= rounds * budget_;
    }
    while (ticks != 0) {
        const Chunk first = chunks_[0];
        const u64 used = std::min(ticks, first.ticks);
        if (used == first.ticks)
            drop_first();
        else
            chunks_[0].ticks -= used;
        come_back(used, first.at + period_);
        ticks -= used;
    }
}

} // namespace sel4vm::el2
