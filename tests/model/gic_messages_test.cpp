// SPDX-License-Identifier: BSD-2-Clause
//
// Message-based SPIs: what writes of GICD_SETSPI_NSR and GICD_CLRSPI_NSR do to edge-triggered and to level-sensitive interrupts.
#include <sel4vm/dev/arm/gic/gic_state.hpp>

#include <gtest/gtest.h>
#include <support/gic_rig.hpp>

#include <memory>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;

constexpr u32 kIrq = 40;
constexpr u32 kSpis = 64;
constexpr u32 kSpurious = 1023;

GicRig make(u32 cpus = 1) {
    GicRig rig({GicVersion::v3, cpus, kSpis, ListRegisters::full(), true});
    return rig;
}

class GicMessages : public testing::Test {
protected:
    GicMessages() {
        rig.open();
        rig.arm(kIrq);
    }
    void set(u32 intid, Width width = Width::b4) { rig.write(gicd::kSetspiNsr, intid, 0, width); }
    void clear(u32 intid, Width width = Width::b4) { rig.write(gicd::kClrspiNsr, intid, 0, width); }
    GicRig rig{{GicVersion::v3, 2, kSpis, ListRegisters::full(), true}};
};

TEST_F(GicMessages, AreSaidInTheTypeAndOnlyThere) {
    EXPECT_EQ(rig.read(gicd::kTyper) >> 16 & 1, 1u);
    EXPECT_EQ(GicRig({GicVersion::v3, 2, kSpis}).read(gicd::kTyper) >> 16 & 1, 0u);
    for (const u32 offset : {gicd::kSetspiNsr, gicd::kClrspiNsr, gicd::kSetspiSr, gicd::kClrspiSr})
        EXPECT_EQ(rig.read(offset), 0u);
}

TEST_F(GicMessages, AreIgnoredByADistributorThatDoesNotHaveThem) {
    GicRig without({GicVersion::v3, 1, kSpis});
    without.open();
    without.arm(kIrq);
    without.write(gicd::kSetspiNsr, kIrq);
    EXPECT_EQ(without.take(), kSpurious);
    EXPECT_FALSE(without.bit_of(gicd::kIspendr, kIrq));
}

TEST_F(GicMessages, RaiseAnEdgeOnce) {
    rig.make_edge(kIrq);
    set(kIrq);
    set(kIrq);
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, kIrq));
    EXPECT_EQ(rig.serve(), kIrq);
    EXPECT_EQ(rig.serve(), kSpurious);
}

TEST_F(GicMessages, ThatComeWhileAnEdgeIsActiveMakeItComeAgain) {
    rig.make_edge(kIrq);
    set(kIrq);
    EXPECT_EQ(rig.take(), kIrq);
    set(kIrq);
    EXPECT_TRUE(rig.bit_of(gicd::kIsactiver, kIrq));
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, kIrq));
    rig.end(kIrq);
    EXPECT_EQ(rig.serve(), kIrq);
    EXPECT_EQ(rig.serve(), kSpurious);
}

TEST_F(GicMessages, AreRememberedWhileTheInterruptIsDisabled) {
    rig.make_edge(kIrq);
    rig.write_bit(gicd::kIcenabler, kIrq);
    set(kIrq);
    EXPECT_EQ(rig.take(), kSpurious);
    rig.write_bit(gicd::kIsenabler, kIrq);
    EXPECT_EQ(rig.serve(), kIrq);
}

TEST_F(GicMessages, TakeAnEdgeBack) {
    rig.make_edge(kIrq);
    set(kIrq);
    clear(kIrq);
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, kIrq));
    EXPECT_EQ(rig.take(), kSpurious);
}

TEST_F(GicMessages, HoldALevelUntilTheyClearIt) {
    set(kIrq);
    EXPECT_EQ(rig.serve(), kIrq);
    EXPECT_EQ(rig.take(), kIrq);
    clear(kIrq); // while it is active
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, kIrq));
    rig.end(kIrq);
    EXPECT_EQ(rig.take(), kSpurious);
}

TEST_F(GicMessages, OfAHeldLevelAreNotUndoneByTheClearPendingRegister) {
    set(kIrq);
    rig.write_bit(gicd::kIcpendr, kIrq);
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, kIrq));
    EXPECT_EQ(rig.take(), kIrq);
}

TEST_F(GicMessages, ReachTheTargetOfTheInterrupt) {
    rig.make_edge(kIrq);
    rig.route(kIrq, 1);
    set(kIrq);
    EXPECT_EQ(rig.take(0), kSpurious);
    EXPECT_EQ(rig.take(1), kIrq);
}

TEST_F(GicMessages, TakeHalfwordsAndNoBytes) {
    rig.make_edge(kIrq);
    set(kIrq, Width::b1);
    EXPECT_EQ(rig.take(), kSpurious);
    rig.write(gicd::kSetspiNsr + 2, kIrq, 0, Width::b2);
    EXPECT_EQ(rig.take(), kSpurious);
    set(kIrq, Width::b2);
    EXPECT_EQ(rig.serve(), kIrq);
}

TEST_F(GicMessages, AboutNoSharedInterruptAreIgnored) {
    for (const u32 intid : {0u, 27u, 32 + kSpis, 1019u, 1023u, 1024u, 8191u, 8192u, ~0u}) {
        set(intid);
        clear(intid);
    }
    for (u32 word = 0; word < 3; ++word)
        EXPECT_EQ(rig.read_bits(gicd::kIspendr, word), 0u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_F(GicMessages, HaveNoSecureAliasesInOneSecurityState) {
    rig.make_edge(kIrq);
    rig.write(gicd::kSetspiSr, kIrq);
    EXPECT_EQ(rig.take(), kSpurious);
    set(kIrq);
    rig.write(gicd::kClrspiSr, kIrq);
    EXPECT_EQ(rig.take(), kIrq);
}

TEST_F(GicMessages, DoNotOutliveAReset) {
    set(kIrq);
    rig.core.reset();
    rig.open();
    rig.arm(kIrq);
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, kIrq));
    EXPECT_EQ(rig.take(), kSpurious);
    // A device's wire does.
    rig.raise(kIrq + 1);
    rig.core.reset();
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, kIrq + 1));
}

TEST_F(GicMessages, OfALevelAreSavedAndRestored) {
    set(kIrq);
    auto state = std::make_unique<dev::GicState>();
    rig.core.save(*state);
    GicRig other = make(2);
    other.core.restore(*state);
    other.settle();
    EXPECT_EQ(other.serve(), kIrq);
    EXPECT_EQ(other.take(), kIrq);
    other.write(gicd::kClrspiNsr, kIrq);
    other.end(kIrq);
    EXPECT_EQ(other.take(), kSpurious);
}

TEST_F(GicMessages, OfALevelThatBecomesAnEdgeAreStillTakenBack) {
    set(kIrq);
    rig.make_edge(kIrq);
    clear(kIrq);
    set(kIrq);
    EXPECT_EQ(rig.serve(), kIrq);
    EXPECT_EQ(rig.serve(), kSpurious);
}

} // namespace
} // namespace sel4vm::test
