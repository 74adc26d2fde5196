// SPDX-License-Identifier: BSD-2-Clause
//
// Who runs next, one decision at a time. That nobody gets less than its share is fair_scheduler_simulation_test.cpp's.
#include <hosts/el2/portable/sched/fair_scheduler.hpp>

#include <gtest/gtest.h>

#include <array>

namespace sel4vm::el2 {
namespace {

constexpr u64 kSlice = 1000;

struct Task : ScheduledTask {
    using ScheduledTask::ScheduledTask;
};

/// The scheduler with a clock, and switches that take no time (but the tick that each costs).
struct FairSchedulerTest : testing::Test {
    ~FairSchedulerTest() override {
        for (Task *task : {&a, &b, &c, &a2, &a3})
            scheduler.forget(*task);
    }
    Task *at(u64 ticks) {
        scheduler.advance(start + ticks);
        Task *picked = scheduler.pick();
        if (picked != nullptr && scheduler.switch_is_open())
            scheduler.entered(start + ticks);
        return picked;
    }
    void wake(Task &task, u64 ticks) {
        scheduler.advance(start + ticks);
        scheduler.wake(task);
    }
    void sleep(Task &task, u64 ticks) {
        scheduler.advance(start + ticks);
        scheduler.remove(task);
    }
    u64 next_look() { return scheduler.next_look() == kNever ? kNever : scheduler.next_look() - start; }

    /// Both can run, `first` does, and neither woke up just now.
    void both(Task &first, Task &second) {
        wake(second, 0);
        ASSERT_EQ(at(0), &second);
        wake(first, 0);
        ASSERT_EQ(at(0), &first);
    }

    u64 start = 0;
    FairScheduler<Task> scheduler{kSlice, 1};
    VmShare vm_a;
    VmShare vm_b;
    VmShare vm_c;
    Task a{vm_a};
    Task b{vm_b};
    Task c{vm_c};
    Task a2{vm_a};
    Task a3{vm_a};
};

TEST_F(FairSchedulerTest, PicksNobodyWhenNobodyCanRun) {
    EXPECT_EQ(at(0), nullptr);
    EXPECT_EQ(next_look(), kNever);
    EXPECT_FALSE(scheduler.anybody_waits());
}

TEST_F(FairSchedulerTest, OneAloneIsNeverInterrupted) {
    wake(a, 0);
    EXPECT_EQ(at(0), &a);
    EXPECT_EQ(next_look(), kNever);
    EXPECT_EQ(at(1'000'000), &a);
}

TEST_F(FairSchedulerTest, TwoThatAlwaysRunTakeTurnsOfASlice) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    wake(b, 0);
    ASSERT_EQ(at(0), &b);
    u64 now = 0;
    for (int turn = 0; turn < 10; ++turn) {
        ASSERT_GE(next_look(), now + kSlice);
        ASSERT_LE(next_look(), now + kSlice + 2) << "a tick for the switch";
        now = next_look();
        ASSERT_EQ(at(now - 1), turn % 2 == 0 ? &b : &a);
        ASSERT_EQ(at(now), turn % 2 == 0 ? &a : &b);
    }
}

TEST_F(FairSchedulerTest, TheFirstSliceOfOneThatRanAloneIsNotOverWhenAnotherComes) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    sleep(a, 50'000);
    wake(b, 50'000);
    ASSERT_EQ(at(50'000), &b);
    wake(a, 50'010);
    EXPECT_EQ(at(50'010), &a) << "alone, nobody has debts";
}

TEST_F(FairSchedulerTest, AWokenOneRunsAtOnceAndTheOtherGoesOnAfterIt) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    wake(b, 300);
    ASSERT_EQ(at(300), &b);
    sleep(b, 320);
    ASSERT_EQ(at(320), &a);
    EXPECT_EQ(next_look(), kNever);
}

TEST_F(FairSchedulerTest, ASleeperKeepsItsDebtUntilTheOthersHaveHadAsMuch) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    wake(b, 100);
    ASSERT_EQ(at(100), &b);
    sleep(b, 1000);
    ASSERT_EQ(at(1000), &a);
    wake(b, 1010);
    EXPECT_EQ(at(1010), &a) << "it has had 900 more";
    const u64 level = next_look();
    EXPECT_GE(level, 1900u);
    EXPECT_LE(level, 1905u);
    EXPECT_EQ(at(level), &b) << "then at once, not at the end of a slice";
}

TEST_F(FairSchedulerTest, LeavingAndComingBackAtOnceShedsNothing) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    wake(b, 0);
    ASSERT_EQ(at(0), &b);
    ASSERT_EQ(at(1001), &a);
    for (u64 now = 1001; now < 1900; now += 10) { // a reset, CPU_OFF and CPU_ON, and the like
        sleep(b, now);
        wake(b, now);
        ASSERT_EQ(at(now), &a);
    }
}

TEST_F(FairSchedulerTest, WhoSleepsGetsNoCreditForIt) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    sleep(b, 0);
    wake(b, 1'000'000);
    ASSERT_EQ(at(1'000'000), &b);
    EXPECT_LE(next_look(), 1'000'000 + kSlice + 2);
    EXPECT_EQ(at(next_look()), &a);
}

TEST_F(FairSchedulerTest, DebtsAreOverWhenTheCpuWasNobodys) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    scheduler.charge(a, 500'000);
    sleep(a, 10);
    ASSERT_EQ(at(10), nullptr);
    wake(b, 20);
    ASSERT_EQ(at(20), &b);
    wake(a, 30);
    EXPECT_EQ(at(30), &a);
}

TEST_F(FairSchedulerTest, SharesAreByVmFirst) {
    for (Task *task : {&a, &a2, &a3, &b})
        wake(*task, 0);
    std::array<u64, 2> had{};
    u64 now = 0;
    for (int turn = 0; turn < 60; ++turn) {
        Task *task = at(now);
        const u64 next = next_look();
        had[task == &b ? 1 : 0] += next - now;
        now = next;
    }
    EXPECT_NEAR(static_cast<double>(had[1]) / static_cast<double>(now), 0.5, 0.02);
}

TEST_F(FairSchedulerTest, ThenByVcpu) {
    for (Task *task : {&a, &a2, &a3, &b})
        wake(*task, 0);
    std::array<u64, 3> had{};
    u64 now = 0;
    for (int turn = 0; turn < 120; ++turn) {
        Task *task = at(now);
        const u64 next = next_look();
        if (task != &b)
            had[task == &a ? 0 : task == &a2 ? 1 : 2] += next - now;
        now = next;
    }
    for (const u64 one : had)
        EXPECT_NEAR(static_cast<double>(one) / static_cast<double>(now), 1.0 / 6, 0.02);
}

TEST_F(FairSchedulerTest, ANewVcpuDoesNotShedTheDebtOfItsVm) {
    both(b, a);
    scheduler.charge(b, 5000);
    ASSERT_EQ(at(kSlice), &a);
    Task fresh{vm_b};
    wake(fresh, 1100);
    EXPECT_EQ(at(1100), &a);
    EXPECT_GE(next_look(), kSlice + 5000 + kSlice);
    scheduler.forget(fresh);
}

TEST_F(FairSchedulerTest, YieldingIsToASiblingFirst) {
    for (Task *task : {&b, &a2, &a}) {
        wake(*task, 0);
        ASSERT_EQ(at(0), task);
    }
    scheduler.yield();
    EXPECT_EQ(at(1), &a2);
    sleep(a, 2);
    scheduler.yield();
    EXPECT_EQ(at(3), &b) << "nobody else in its VM";
}

TEST_F(FairSchedulerTest, YieldingAloneGoesOn) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    scheduler.yield();
    EXPECT_EQ(at(1), &a);
    wake(b, 2);
    sleep(b, 2);
    EXPECT_EQ(at(2), &a) << "an old yield is forgotten";
}

TEST_F(FairSchedulerTest, YieldingLosesWhatOneWasBehind) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    wake(b, 0);
    ASSERT_EQ(at(0), &b);
    u64 now = 1001;
    ASSERT_EQ(at(now), &a);
    for (int i = 0; i < 20; ++i) { // a yields whenever it runs
        scheduler.yield();
        now += 10;
        ASSERT_EQ(at(now), &b);
        const u64 turn = next_look();
        ASSERT_LE(turn, now + kSlice + 2) << "b is not paid for by long turns later";
        now = turn;
        ASSERT_EQ(at(now), &a);
    }
}

TEST_F(FairSchedulerTest, AnInterruptIsPaidByWhomItWakes) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    const u64 before = a.tag();
    const u64 other_before = b.tag();
    scheduler.advance(100); // the interrupt
    scheduler.nobody_pays();
    scheduler.advance(130); // looking around
    scheduler.wake(b);
    ASSERT_EQ(scheduler.pick(), &b);
    scheduler.entered(170); // the switch
    sleep(b, 180);
    ASSERT_EQ(scheduler.pick(), &a);
    scheduler.entered(220);
    EXPECT_EQ(a.tag() - before, 100u) << "only its own";
    EXPECT_EQ(b.tag() - other_before, 40u + 1 + 10 + 40 + 1) << "from when it was woken until the other goes on";
}

TEST_F(FairSchedulerTest, AnInterruptIsPaidByWhomItWakesAlsoWhenThatOneMustWait) {
    both(b, a);
    sleep(b, 500);
    ASSERT_EQ(at(500), &a);
    const u64 before = a.tag();
    const u64 other_before = b.tag();
    scheduler.advance(600);
    scheduler.nobody_pays();
    scheduler.wake(b);
    ASSERT_EQ(scheduler.pick(), &a) << "b owes";
    ASSERT_TRUE(scheduler.switch_is_open());
    scheduler.entered(640);
    EXPECT_EQ(a.tag() - before, 100u);
    EXPECT_EQ(b.tag() - other_before, 40u + 1);
}

TEST_F(FairSchedulerTest, TheEndOfASliceIsPaidByTheOneThatHadIt) {
    both(a, b);
    const u64 before = a.tag();
    scheduler.advance(1500);
    scheduler.nobody_pays();
    ASSERT_EQ(scheduler.pick(), &b);
    scheduler.entered(1530);
    EXPECT_EQ(a.tag() - before, 1500u + 30 + 1);
}

TEST_F(FairSchedulerTest, WhatHappensForNobodyIsNobodys) {
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    const u64 before = a.tag();
    scheduler.advance(100);
    scheduler.nobody_pays();
    EXPECT_EQ(scheduler.unpaid(150), 50u);
    scheduler.advance(150);
    ASSERT_EQ(scheduler.pick(), &a);
    scheduler.entered(160);
    EXPECT_EQ(scheduler.unpaid(170), 0u);
    EXPECT_LE(a.tag() - before, 111u);
}

TEST_F(FairSchedulerTest, WhatIsTooShortToBeSeenIsPaidAllTheSame) {
    // One that sleeps again within the tick in which it woke up would otherwise never pay.
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    int interruptions = 0;
    for (int i = 0; i < 100; ++i) {
        wake(b, 0);
        interruptions += at(0) == &b ? 1 : 0;
        sleep(b, 0);
        ASSERT_EQ(at(0), &a);
    }
    EXPECT_EQ(interruptions, 1);
}

TEST_F(FairSchedulerTest, CountersMayBeHuge) {
    start = (u64{1} << 63) - 2500;
    wake(a, 0);
    ASSERT_EQ(at(0), &a);
    sleep(a, 1);
    ASSERT_EQ(at(1), nullptr);
    both(a, b);
    u64 now = 0;
    for (int turn = 0; turn < 10; ++turn) {
        const u64 next = next_look();
        ASSERT_GE(next - now, kSlice);
        ASSERT_LE(next - now, kSlice + 2);
        now = next;
        ASSERT_EQ(at(now), turn % 2 == 0 ? &b : &a);
    }
}

} // namespace
} // namespace sel4vm::el2
