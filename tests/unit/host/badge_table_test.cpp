// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/host/badge_table.hpp>

#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace sel4vm {
namespace {

struct Heard final : BadgeHandler {
    void signalled(u64 bits, u64 message) override { signals.push_back({bits, message}); }
    std::vector<std::pair<u64, u64>> signals;
};

using Signals = std::vector<std::pair<u64, u64>>;

TEST(BadgeTable, EachOwnerHearsItsOwnBitsAndTheRestIsNobodys) {
    BadgeTable table;
    Heard console, timer;
    ASSERT_TRUE(table.add(0x3, "console", &console));
    ASSERT_TRUE(table.add(0x8, "timer", &timer));
    EXPECT_EQ(table.dispatch(0x1a, 7), 0x10U);
    EXPECT_EQ(console.signals, (Signals{{0x2, 7}}));
    EXPECT_EQ(timer.signals, (Signals{{0x8, 7}}));
    EXPECT_EQ(table.dispatch(0, 1), 0U);
    EXPECT_EQ(console.signals.size(), 1U);
}

TEST(BadgeTable, ASecondOwnerOfABitIsRefusedAndToldWhoHasIt) {
    BadgeTable table;
    Heard console;
    ASSERT_TRUE(table.add(0x3, "console", &console));
    const auto refused = table.add(0x6, "timer", &console);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().owner, "console");
    EXPECT_EQ(table.owner_of(0x4), "");
    table.remove(0x3);
    EXPECT_TRUE(table.add(0x6, "timer", &console));
    EXPECT_EQ(table.owner_of(0xff), "timer");
}

TEST(BadgeTable, NoBitAndMoreOwnersThanFitAreRefused) {
    BadgeTable table;
    EXPECT_EQ(table.add(0, "nobody", nullptr).error().owner, "");
    for (usize i = 0; i < BadgeTable::kMaxOwners; ++i)
        EXPECT_TRUE(table.add(u64{1} << i, "one", nullptr));
    EXPECT_EQ(table.add(u64{1} << 63, "one more", nullptr).error().owner, "");
    EXPECT_EQ(table.dispatch(0x1, 0), 0x1U) << "without a handler nobody hears it";
}

TEST(BadgeTable, AHandlerMayTakeItselfOut) {
    struct Once final : BadgeHandler {
        explicit Once(BadgeTable &from) : table(from) {}
        void signalled(u64 bits, u64) override { table.remove(bits); }
        BadgeTable &table;
    };
    BadgeTable table;
    Once once{table};
    Heard after;
    ASSERT_TRUE(table.add(0x1, "once", &once));
    ASSERT_TRUE(table.add(0x2, "after", &after));
    EXPECT_EQ(table.dispatch(0x1, 0), 0U);
    EXPECT_EQ(table.dispatch(0x3, 0), 0x1U);
    EXPECT_EQ(after.signals.size(), 1U);
}

} // namespace
} // namespace sel4vm
