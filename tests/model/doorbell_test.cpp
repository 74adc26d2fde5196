// SPDX-License-Identifier: BSD-2-Clause
//
// Doorbells of shared memory: who rings whom, who hears of it, and what a reset or an end of one leaves to the others.
#include <sel4vm/dev/doorbell/doorbell.hpp>

#include <support/recording_irqs.hpp>

#include <gtest/gtest.h>
#include <memory>

namespace sel4vm::test {
namespace {

constexpr u64 kId = 0x00;
constexpr u64 kSide = 0x04;
constexpr u64 kPresent = 0x08;
constexpr u64 kRing = 0x0c;
constexpr u64 kRung = 0x10;
constexpr u32 kIntid = 100;

/// A VM's end: its doorbell, and the edges that its interrupt controller has seen.
struct End {
    End(dev::DoorbellGroup &group, u32 side) : doorbell(group, side, IrqLine{irqs, kIntid}) {}
    u32 read(u64 offset) {
        return static_cast<u32>(doorbell.device().read({offset, Width::b4, VcpuId{0}}).value_or(~u64{0}));
    }
    void write(u64 offset, u32 value) { EXPECT_TRUE(doorbell.device().write({offset, Width::b4, VcpuId{0}}, value)); }
    /// Edges since the last call; the wire is low between them.
    unsigned edges() {
        EXPECT_FALSE(irqs.high(kIntid));
        return std::exchange(irqs.changes, 0) / 2;
    }
    RecordingIrqs irqs;
    dev::JoinedDoorbell doorbell;
};

class Doorbells : public testing::Test {
protected:
    dev::DoorbellGroup group;
    std::unique_ptr<End> one = std::make_unique<End>(group, 0);
    std::unique_ptr<End> two = std::make_unique<End>(group, 1);
    std::unique_ptr<End> far = std::make_unique<End>(group, 7);
};

TEST_F(Doorbells, SayWhatTheyAreAndWhoIsThere) {
    EXPECT_EQ(one->read(kId), 0x6c6c'6562u);
    EXPECT_EQ(one->read(kSide), 0u);
    EXPECT_EQ(far->read(kSide), 7u);
    EXPECT_EQ(one->read(kPresent), 0x83u);
    EXPECT_EQ(one->read(kRing), 0u);
    EXPECT_EQ(one->read(0x14), 0u);
    one->write(kPresent, 0);
    EXPECT_EQ(two->read(kPresent), 0x83u);
}

TEST_F(Doorbells, ARingIsAnEdgeForEachSideThatIsNamed) {
    one->write(kRing, 1u << 1);
    EXPECT_EQ(one->edges(), 0u);
    EXPECT_EQ(two->edges(), 1u);
    EXPECT_EQ(far->edges(), 0u);
    one->write(kRing, 1u << 1 | 1u << 7);
    one->write(kRing, 1u << 7);
    EXPECT_EQ(two->edges(), 1u);
    EXPECT_EQ(far->edges(), 2u);
}

TEST_F(Doorbells, AVmMayRingItself) {
    two->write(kRing, 1u << 1);
    EXPECT_EQ(two->edges(), 1u);
    EXPECT_EQ(two->read(kRung), 1u << 1);
}

TEST_F(Doorbells, SidesWithoutAVmAreIgnored) {
    one->write(kRing, ~u32{0x83});
    EXPECT_EQ(one->edges() + two->edges() + far->edges(), 0u);
    EXPECT_EQ(two->read(kRung), 0u);
}

TEST_F(Doorbells, WhoHasRungStaysUntilItIsNoted) {
    one->write(kRing, 1u << 1);
    one->write(kRing, 1u << 1);
    far->write(kRing, 1u << 1);
    EXPECT_EQ(two->read(kRung), 0x81u);
    two->write(kRung, 0x01);
    EXPECT_EQ(two->read(kRung), 0x80u);
    one->write(kRing, 1u << 1);
    EXPECT_EQ(two->read(kRung), 0x81u);
    EXPECT_EQ(one->read(kRung), 0u) << "that is its own";
}

TEST_F(Doorbells, AResetForgetsWhoHasRungThatVmAndNothingElse) {
    one->write(kRing, 1u << 1 | 1u << 7);
    two->write(kRing, 1u << 7);
    two->doorbell.device().reset();
    EXPECT_EQ(two->read(kRung), 0u);
    EXPECT_EQ(far->read(kRung), 0x03u);
    EXPECT_EQ(one->read(kPresent), 0x83u);
}

TEST_F(Doorbells, WhoHasLeftIsNotRungAndItsSideIsFree) {
    one->write(kRing, 1u << 1);
    two.reset();
    EXPECT_EQ(one->read(kPresent), 0x81u);
    one->write(kRing, 1u << 1);
    two = std::make_unique<End>(group, 1);
    EXPECT_TRUE(two->doorbell.joined());
    EXPECT_EQ(two->read(kRung), 0u) << "what was another's";
    EXPECT_EQ(two->edges(), 0u);
}

TEST_F(Doorbells, ASideIsOneVms) {
    {
        End other(group, 1);
        EXPECT_FALSE(other.doorbell.joined());
        End beyond(group, dev::DoorbellGroup::kMaxSides);
        EXPECT_FALSE(beyond.doorbell.joined());
    }
    one->write(kRing, 1u << 1);
    EXPECT_EQ(two->edges(), 1u) << "those that did not join took nothing along";
}

TEST_F(Doorbells, TakesWordsOnly) {
    for (const Width width : {Width::b1, Width::b2, Width::b8}) {
        EXPECT_FALSE(one->doorbell.device().write({kRing, width, VcpuId{0}}, 2));
        EXPECT_FALSE(one->doorbell.device().read({kRung, width, VcpuId{0}}));
    }
    EXPECT_EQ(two->edges(), 0u);
}

} // namespace
} // namespace sel4vm::test
