// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/deadline.hpp>

#include <gtest/gtest.h>

namespace sel4vm::el2 {
namespace {

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
