// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/deadline.hpp>
#include <hosts/el2/portable/sched/round_robin.hpp>

#include <gtest/gtest.h>

#include <array>

namespace sel4vm::el2 {
namespace {

struct Task : RunQueueHook {
    unsigned runs = 0;
};

constexpr u64 kSlice = 100;

TEST(RoundRobin, PicksNobodyWhenEmpty) {
    RoundRobin<Task> queue(kSlice);
    EXPECT_EQ(queue.pick(0), nullptr);
    EXPECT_EQ(queue.turn_end(), kNever);
}

TEST(RoundRobin, ASingleTaskHasNoSliceEnd) {
    RoundRobin<Task> queue(kSlice);
    Task a;
    queue.add(a, 0);
    EXPECT_EQ(queue.pick(0), &a);
    EXPECT_EQ(queue.turn_end(), kNever);
    EXPECT_EQ(queue.pick(1'000'000), &a);
}

TEST(RoundRobin, ASliceBeginsWhenASecondTaskArrives) {
    RoundRobin<Task> queue(kSlice);
    Task a;
    Task b;
    queue.add(a, 0);
    ASSERT_EQ(queue.pick(0), &a);
    queue.add(b, 5000);
    EXPECT_EQ(queue.turn_end(), 5000 + kSlice);
    EXPECT_EQ(queue.pick(5000 + kSlice - 1), &a);
    EXPECT_EQ(queue.pick(5000 + kSlice), &b);
    EXPECT_EQ(queue.turn_end(), 5000 + 2 * kSlice);
}

TEST(RoundRobin, ThreeSpinningTasksGetEqualTurns) {
    RoundRobin<Task> queue(kSlice);
    std::array<Task, 3> tasks;
    for (Task &task : tasks)
        queue.add(task, 0);
    u64 now = 0;
    for (int turn = 0; turn < 30; ++turn) {
        ++queue.pick(now)->runs;
        now += kSlice;
    }
    for (const Task &task : tasks)
        EXPECT_EQ(task.runs, 10u);
}

TEST(RoundRobin, AWokenTaskPreemptsAndTheOtherContinuesItsTurnAfterIt) {
    RoundRobin<Task> queue(kSlice);
    Task a;
    Task b;
    Task sleeper;
    queue.add(a, 0);
    queue.add(b, 0);
    ASSERT_EQ(queue.pick(0), &a);
    queue.wake(sleeper, 10);
    EXPECT_EQ(queue.pick(10), &sleeper);
    EXPECT_EQ(queue.turn_end(), kSlice) << "it runs on the rest of the present turn";
    queue.remove(sleeper);
    EXPECT_EQ(queue.pick(20), &a);
    EXPECT_EQ(queue.turn_end(), kSlice);
    EXPECT_EQ(queue.pick(kSlice), &b);
}

TEST(RoundRobin, TasksThatWakeEachOtherDoNotStarveAThird) {
    RoundRobin<Task> queue(kSlice);
    Task ping;
    Task pong;
    Task other;
    queue.add(ping, 0);
    queue.add(other, 0);
    Task *running = queue.pick(0);
    ASSERT_EQ(running, &ping);
    Task *asleep = &pong;
    for (u64 now = 1; now < 20 * kSlice; ++now) {
        running = queue.pick(now);
        ++running->runs;
        if (running == &other)
            continue;
        // Wakes its partner and sleeps itself.
        Task *partner = running == &ping ? &pong : &ping;
        if (partner == asleep) {
            queue.wake(*partner, now);
            queue.remove(*running);
            asleep = running;
        }
    }
    EXPECT_GT(other.runs, 8 * kSlice);
    EXPECT_GT(ping.runs + pong.runs, 8 * kSlice);
}

TEST(RoundRobin, YieldLetsTheOthersRunFirst) {
    RoundRobin<Task> queue(kSlice);
    Task a;
    Task b;
    queue.add(a, 0);
    queue.add(b, 0);
    ASSERT_EQ(queue.pick(0), &a);
    queue.yield();
    EXPECT_EQ(queue.pick(1), &b);
    queue.remove(b);
    queue.yield();
    EXPECT_EQ(queue.pick(2), &a);
    queue.yield();
    EXPECT_EQ(queue.pick(3), &a) << "nobody else: it goes on";
}

TEST(RoundRobin, RemovingAWaitingTaskKeepsTheOrderOfTheOthers) {
    RoundRobin<Task> queue(kSlice);
    Task a;
    Task b;
    Task c;
    queue.add(a, 0);
    queue.add(b, 0);
    queue.add(c, 0);
    ASSERT_EQ(queue.pick(0), &a);
    queue.remove(b);
    EXPECT_FALSE(queue.is_current_or_waits(b));
    EXPECT_EQ(queue.pick(kSlice), &c);
    EXPECT_EQ(queue.pick(2 * kSlice), &a);
}

TEST(VirtualTimer, OffOrMaskedNeverFires) {
    EXPECT_EQ(virtual_timer_fires_at({0, 5}, 0, 10), kNever);
    EXPECT_EQ(virtual_timer_fires_at({2, 5}, 0, 10), kNever);
    EXPECT_EQ(virtual_timer_fires_at({3, 5}, 0, 10), kNever);
}

TEST(VirtualTimer, FiresAtItsCompareValueInTicksOfThePhysicalCounter) {
    EXPECT_EQ(virtual_timer_fires_at({1, 500}, 1000, 1100), 1500u);
    EXPECT_EQ(virtual_timer_fires_at({1, 50}, 1000, 1100), 1100u) << "passed already: now";
    EXPECT_EQ(virtual_timer_fires_at({1, 100}, 1000, 1100), 1100u) << "equal counts as passed";
}

TEST(VirtualTimer, ACounterAheadOfTheHostsWorks) {
    // A guest restored with a counter of 10^6 on a host at 1000.
    EXPECT_EQ(virtual_timer_fires_at({1, 1'000'100}, u64{1000} - 1'000'000, 1000), 1100u);
}

TEST(VirtualTimer, AFarDeadlineDoesNotWrap) {
    EXPECT_EQ(virtual_timer_fires_at({1, ~u64{0}}, 0, 1000), kNever);
    EXPECT_EQ(virtual_timer_fires_at({1, ~u64{0} - 10}, 50, 1000), kNever);
}

TEST(Earliest, IsTheSmallestOffer) {
    EXPECT_EQ(Earliest{}.ticks(), kNever);
    EXPECT_EQ(Earliest{}.offer(7).offer(3).offer(kNever).offer(9).ticks(), 3u);
}

} // namespace
} // namespace sel4vm::el2
