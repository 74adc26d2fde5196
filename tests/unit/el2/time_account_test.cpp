// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/time_account.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace sel4vm::el2 {
namespace {

TEST(TimeAccount, CountsEachUseForItself) {
    TimeAccount account;
    account.become(TimeUse::stolen, 1000); // it was nothing before, since nobody knows when
    account.become(TimeUse::running, 1010);
    account.become(TimeUse::waiting, 1110);
    account.become(TimeUse::stolen, 2110);
    account.become(TimeUse::running, 2115);
    const VcpuTimes times = account.read(2215);
    EXPECT_EQ(times.running_ticks, 100u + 100u);
    EXPECT_EQ(times.waiting_ticks, 1000u);
    EXPECT_EQ(times.stolen_ticks, 10u + 5u);
}

TEST(TimeAccount, ComesOutOfAWaitInOneStore) {
    TimeAccount account;
    account.become(TimeUse::running, 100);
    account.become(TimeUse::waiting, 110);
    account.run_again(150);
    account.run_again(155); // it does already
    EXPECT_EQ(account.read(160).running_ticks, 20u);
    EXPECT_EQ(account.read(160).waiting_ticks, 40u);
    account.become(TimeUse::waiting, 170);
    account.become(TimeUse::nothing, 190);
    EXPECT_EQ(account.read(1000).running_ticks, 30u);
    EXPECT_EQ(account.read(1000).waiting_ticks, 60u);
}

TEST(TimeAccount, AStoppedOneSpendsNothing) {
    TimeAccount account;
    account.become(TimeUse::running, 100);
    account.become(TimeUse::nothing, 150);
    EXPECT_EQ(account.read(1'000'000).running_ticks, 50u);
    account.become(TimeUse::running, 2'000'000);
    const VcpuTimes times = account.read(2'000'010);
    EXPECT_EQ(times.running_ticks, 60u);
    EXPECT_EQ(times.waiting_ticks + times.stolen_ticks, 0u);
}

TEST(TimeAccount, ALookAtTheClockBeforeAChangeOfAnotherCpuIsNotNegative) {
    TimeAccount account;
    account.become(TimeUse::running, 100);
    account.become(TimeUse::waiting, 200);
    EXPECT_EQ(account.read(190).waiting_ticks, 0u);
    EXPECT_EQ(account.read(190).running_ticks, 100u);
}

TEST(TimeAccount, NoReaderSeesHalfAChange) {
    // Until its last change all three add up to the time that has passed.
    TimeAccount account;
    account.become(TimeUse::running, 1);
    std::atomic<u64> reached{1};
    std::thread writer([&] {
        for (u64 now = 2; now < 200'000; ++now) {
            if (now % 4 == 3)
                account.run_again(now);
            else
                account.become(static_cast<TimeUse>(1 + now % 3), now);
            reached.store(now, std::memory_order_release);
        }
    });
    u64 seen = 0;
    while (seen < 199'999) {
        seen = reached.load(std::memory_order_acquire);
        const VcpuTimes times = account.read(seen);
        const u64 sum = times.running_ticks + times.waiting_ticks + times.stolen_ticks;
        EXPECT_GE(sum, seen - 1);
        EXPECT_LE(sum, 199'998u);
        if (HasFailure())
            break;
    }
    writer.join();
}

} // namespace
} // namespace sel4vm::el2
