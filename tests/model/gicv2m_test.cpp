// SPDX-License-Identifier: BSD-2-Clause
//
// The GICv2m frame: its three registers, and which messages become edges of which wires.
#include <sel4vm/dev/arm/gic/gicv2m.hpp>

#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace sel4vm::test {
namespace {

constexpr u32 kFirst = 80;
constexpr u32 kCount = 64;
constexpr u64 kType = 0x008;
constexpr u64 kSetSpi = 0x040;
constexpr u64 kIidr = 0xfcc;

/// Every move of a shared wire.
struct Wires final : IrqRouter {
    bool has(u32) const override { return true; }
    void set_level(u32 intid, Level level) override { moves.emplace_back(intid, level); }
    void set_private_level(VcpuId, u32, Level) override {}
    bool inject(VcpuId, u32) override { return false; }
    bool set_eoi_listener(u32, EoiListener *) override { return false; }
    void reset() override {}
    std::vector<std::pair<u32, Level>> moves;
};
using Moves = std::vector<std::pair<u32, Level>>;
Moves edge_of(u32 intid) { return {{intid, Level::high}, {intid, Level::low}}; }

class Gicv2mFrame : public testing::Test {
protected:
    Result<u64, BusFault> read(u64 offset, Width width = Width::b4) { return frame.read({offset, width, VcpuId{0}}); }
    Status<BusFault> write(u64 offset, u64 value, Width width = Width::b4) {
        return frame.write({offset, width, VcpuId{0}}, value);
    }
    Moves moved() { return std::exchange(wires.moves, {}); }
    Wires wires;
    dev::Gicv2m frame{wires, kFirst, kCount};
};

TEST_F(Gicv2mFrame, SaysWhichInterruptsItHas) {
    EXPECT_EQ(read(kType).value_or(0), 0x0050'0040u);
    EXPECT_EQ(read(kIidr).value_or(0) & 0xfff, 0x43bu);
    EXPECT_EQ(read(kSetSpi).value_or(1), 0u);
    ASSERT_TRUE(write(kType, ~u32{0}));
    EXPECT_EQ(read(kType).value_or(0), 0x0050'0040u);
}

TEST_F(Gicv2mFrame, MakesAnEdgeOfEachMessage) {
    for (const u32 intid : {kFirst, kFirst + 17, kFirst + kCount - 1}) {
        ASSERT_TRUE(write(kSetSpi, intid));
        EXPECT_EQ(moved(), edge_of(intid));
        ASSERT_TRUE(write(kSetSpi, intid, Width::b2));
        EXPECT_EQ(moved(), edge_of(intid));
        frame.send(0x1234, intid);
        EXPECT_EQ(moved(), edge_of(intid));
    }
}

TEST_F(Gicv2mFrame, LooksAtTheTenBitsOfTheNumberOnly) {
    ASSERT_TRUE(write(kSetSpi, 0xffff'fc00 | kFirst));
    EXPECT_EQ(moved(), edge_of(kFirst));
}

TEST_F(Gicv2mFrame, IgnoresInterruptsThatAreNotItsOwn) {
    for (const u32 intid : {0u, 27u, kFirst - 1, kFirst + kCount, 1023u})
        ASSERT_TRUE(write(kSetSpi, intid));
    EXPECT_EQ(moved(), Moves{});
}

TEST_F(Gicv2mFrame, TakesWordsAndHalfMessages) {
    EXPECT_FALSE(write(kSetSpi, kFirst, Width::b1));
    EXPECT_FALSE(write(kSetSpi, kFirst, Width::b8));
    EXPECT_FALSE(read(kType, Width::b2));
    EXPECT_FALSE(read(kType + 2));
    EXPECT_EQ(read(0x100).value_or(1), 0u);
    EXPECT_TRUE(write(0x100, 1));
    EXPECT_EQ(moved(), Moves{});
}

} // namespace
} // namespace sel4vm::test
