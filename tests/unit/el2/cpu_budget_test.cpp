// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/cpu_budget.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace sel4vm::el2 {
namespace {

TEST(CpuBudget, IsThereAtOnceAndComesBackAPeriodAfterItsUseBegan) {
    CpuBudget budget(20, 100, 1000);
    EXPECT_TRUE(budget.available(1000));
    budget.begin(1030);
    EXPECT_EQ(budget.lasts_until(1030), 1050u);
    budget.use(20, 1050);
    EXPECT_FALSE(budget.available(1050));
    EXPECT_FALSE(budget.available(1129));
    EXPECT_EQ(budget.available_at(), 1130u);
    EXPECT_TRUE(budget.available(1130));
}

TEST(CpuBudget, OneThatAlwaysWantsItHasOnePieceInEachPeriod) {
    CpuBudget budget(20, 100, 0);
    budget.begin(0);
    for (u64 period = 0; period < 50; ++period) {
        ASSERT_TRUE(budget.available(period * 100));
        ASSERT_FALSE(budget.available(period * 100 - 1));
        // However late others let it begin, and in whatever pieces.
        const u64 late = period % 7 * 10;
        for (u64 piece = 1; piece <= 4; ++piece)
            budget.use(5, period * 100 + late + piece * 5);
    }
}

TEST(CpuBudget, NothingIsSavedUp) {
    CpuBudget budget(20, 100, 0);
    budget.use(5, 5);
    budget.rest();
    budget.begin(10'000);
    EXPECT_EQ(budget.lasts_until(10'000), 10'020u);
    budget.use(20, 10'020);
    EXPECT_EQ(budget.available_at(), 10'100u);
}

TEST(CpuBudget, PartsComeBackWhenTheirUseBegan) {
    CpuBudget budget(20, 100, 0);
    budget.use(5, 5);
    budget.rest();
    budget.use(15, 55); // from 40 on
    budget.rest();
    EXPECT_EQ(budget.available_at(), 100u);
    budget.begin(100);
    EXPECT_EQ(budget.lasts_until(100), 105u);
    budget.use(5, 105);
    EXPECT_EQ(budget.available_at(), 140u);
}

TEST(CpuBudget, WhatWasTooMuchComesOffTheNext) {
    CpuBudget budget(20, 100, 0);
    budget.use(25, 25);
    EXPECT_EQ(budget.available_at(), 100u);
    EXPECT_EQ(budget.lasts_until(100), 115u);
    CpuBudget other(20, 100, 0);
    other.use(65, 65); // three budgets and a quarter
    EXPECT_EQ(other.available_at(), 300u);
    EXPECT_EQ(other.lasts_until(300), 315u);
}

TEST(CpuBudget, ManyPiecesComeLaterAndNeverEarlier) {
    CpuBudget budget(20, 1000, 0);
    for (u64 i = 0; i < 20; ++i) {
        ASSERT_TRUE(budget.available(i * 10));
        budget.use(1, i * 10 + 1);
        budget.rest();
    }
    EXPECT_FALSE(budget.available(999));
    u64 total = 0;
    for (u64 now = 1000; now < 1200; ++now) {
        if (budget.available(now)) {
            budget.use(1, now + 1);
            budget.rest();
            ++total;
        }
    }
    EXPECT_EQ(total, 20u) << "all of it comes back";
}

// Every window, against a record of what was used when.
TEST(CpuBudget, NoMoreIsUsedInAnyWindow) {
    for (u64 seed = 0; seed < 2000; ++seed) {
        std::mt19937_64 random(seed);
        const u64 period = 50 + random() % 200;
        const u64 amount = 1 + random() % period;
        CpuBudget budget(amount, period, 0);
        std::deque<std::pair<u64, u64>> used; // when it ended, how much
        u64 now = 0;
        while (now < 40 * period) {
            budget.begin(now);
            if (budget.available(now)) {
                const u64 until = std::min(budget.lasts_until(now), now + 1 + random() % period);
                budget.use(until - now, until);
                used.emplace_back(until, until - now);
                now = until;
                if (random() % 2 == 0) {
                    budget.rest();
                    now += random() % (2 * period);
                }
            } else {
                now = budget.available_at() + (random() % 3 == 0 ? random() % period : 0);
            }
        }
        for (usize first = 0; first < used.size(); ++first) {
            const u64 begin = used[first].first - used[first].second;
            u64 sum = 0;
            for (usize last = first; last < used.size(); ++last) {
                sum += used[last].second;
                const u64 length = used[last].first - begin;
                ASSERT_LE(sum, ((length + period - 1) / period + 1) * amount)
                    << "seed " << seed << ", a window of " << length << " with periods of " << period;
            }
        }
    }
}

} // namespace
} // namespace sel4vm::el2
