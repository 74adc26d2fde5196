// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>
#include <sel4vm/vm/timeout.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace sel4vm::test {
namespace {

struct Scheduler final : TimeoutScheduler {
    void earliest_changed(u64 deadline) override { earliest = deadline; }
    void none_left() override { earliest.reset(); }
    std::optional<u64> earliest;
};
struct Handler final : TimeoutHandler {
    void timeout() override {
        ++fired;
        if (then)
            then();
    }
    int fired = 0;
    std::function<void()> then;
};

struct TimeoutTest : testing::Test {
    Scheduler scheduler;
    TimeoutQueue queue{scheduler};
    Handler a, b;
    Timeout ta{a}, tb{b};
};

TEST_F(TimeoutTest, TheEarliestDeadlineIsAskedFor) {
    queue.arm(ta, 20);
    queue.arm(tb, 10);
    EXPECT_EQ(scheduler.earliest, 10u);
    queue.cancel(tb);
    EXPECT_EQ(scheduler.earliest, 20u);
    queue.cancel(ta);
    EXPECT_FALSE(scheduler.earliest);
}

TEST_F(TimeoutTest, OnlyWhatIsDueFires) {
    queue.arm(ta, 20);
    queue.arm(tb, 10);
    queue.run_due(10);
    EXPECT_EQ(b.fired, 1);
    EXPECT_EQ(a.fired, 0);
    EXPECT_EQ(scheduler.earliest, 20u);
    queue.run_due(20);
    EXPECT_EQ(a.fired, 1);
    EXPECT_FALSE(scheduler.earliest);
}

TEST_F(TimeoutTest, RearmingMovesTheDeadline) {
    queue.arm(ta, 10);
    queue.arm(ta, 30);
    queue.run_due(20);
    EXPECT_EQ(a.fired, 0);
    EXPECT_EQ(scheduler.earliest, 30u);
}

TEST_F(TimeoutTest, AHandlerThatArmsForThePastFiresOnceARound) {
    a.then = [&] { queue.arm(ta, 0); };
    queue.arm(ta, 10);
    queue.run_due(10);
    EXPECT_EQ(a.fired, 1);
    EXPECT_EQ(scheduler.earliest, 0u);
}

TEST_F(TimeoutTest, AHandlerMayCancelAnotherThatIsAlsoDue) {
    a.then = [&] { queue.cancel(tb); };
    queue.arm(ta, 5);
    queue.arm(tb, 6);
    queue.run_due(10);
    EXPECT_EQ(a.fired, 1);
    EXPECT_EQ(b.fired, 0);
}

} // namespace
} // namespace sel4vm::test
