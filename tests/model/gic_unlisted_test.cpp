// SPDX-License-Identifier: BSD-2-Clause
//
// More active interrupts than list registers: what is more urgent does not wait, and every end finds its interrupt.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;
using State = aarch64::ListRegisterState;

constexpr u32 kSplit = ListRegisters::kOpen | 1u << 9;

class GicUnlisted : public testing::TestWithParam<GicVersion> {
protected:
    GicRig make(u8 lists, u32 cpus = 1) { return make(ListRegisters::full(lists), cpus); }
    GicRig make(const ListRegisters::Abilities &abilities, u32 cpus = 1) {
        GicRig rig({GetParam(), cpus, 64, abilities});
        rig.open();
        return rig;
    }
    static void arm_edge(GicRig &rig, u32 intid, u8 priority) {
        rig.make_edge(intid);
        rig.arm(intid, priority);
    }
    /// Makes the interrupt come and acknowledges it.
    static void nest(GicRig &rig, u32 intid, u8 priority) {
        arm_edge(rig, intid, priority);
        rig.pulse(intid);
        ASSERT_EQ(rig.take(), intid);
    }
};

INSTANTIATE_TEST_SUITE_P(Versions, GicUnlisted, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &which) { return which.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicUnlisted, AMoreUrgentInterruptDoesNotWaitForTheOnlyListRegister) {
    GicRig rig = make(1);
    nest(rig, 40, 0x80);
    nest(rig, 41, 0x40);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0x300u) << "both are active";
    rig.pulse(40);
    rig.end(41);
    EXPECT_EQ(rig.take(), 1023u) << "the first still runs";
    rig.end(40);
    EXPECT_EQ(rig.serve(), 40u) << "the second occurrence";
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0u);
    EXPECT_EQ(rig.lists[0].maintenance_causes(), 0u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, ALevelThatIsHighAtItsUnlistedEndComesAgain) {
    GicRig rig = make(1);
    rig.arm(40, 0x80);
    rig.raise(40);
    ASSERT_EQ(rig.take(), 40u);
    nest(rig, 41, 0x40);
    rig.end(41);
    rig.end(40);
    EXPECT_EQ(rig.take(), 40u);
    rig.lower(40);
    rig.end(40);
    EXPECT_EQ(rig.take(), 1023u);
}

TEST_P(GicUnlisted, DeepNestsEndInOrder) {
    GicRig rig = make(2);
    for (u32 n = 0; n < 16; ++n)
        nest(rig, 32 + n, static_cast<u8>(0xf0 - 8 * n));
    for (u32 n = 16; n-- > 0;) {
        EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), low_mask<u32>(n + 1));
        rig.end(32 + n);
    }
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0u);
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, ManyEndsBeforeAnyExitAreAllFound) {
    GicRig rig = make(1);
    for (u32 n = 0; n < 6; ++n)
        nest(rig, 32 + n, static_cast<u8>(0xa0 - 8 * n));
    for (u32 n = 6; n-- > 0;)
        rig.lists[0].end(32 + n); // the maintenance interrupt comes late
    rig.settle();
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0u);
}

TEST_P(GicUnlisted, TheMostUrgentThatWaitsIsListedAndTheOthersMoveNothing) {
    GicRig rig = make(2);
    nest(rig, 39, 0x80);
    nest(rig, 40, 0x40);
    for (const u32 intid : {41u, 42u}) {
        arm_edge(rig, intid, 0x40);
        rig.pulse(intid);
    }
    EXPECT_EQ(rig.lists[0].at(0).intid, 41u) << "in the place of the least urgent one";
    EXPECT_EQ(rig.lists[0].at(1).intid, 40u);
    EXPECT_EQ(rig.take(), 1023u) << "the active one is as urgent";
    EXPECT_FALSE(rig.deliverable());
    rig.end(40);
    EXPECT_EQ(rig.serve(), 41u);
    EXPECT_EQ(rig.serve(), 42u);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0x80u);
    rig.end(39);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, WhatTheGuestTookOutOfTheActivePrioritiesHoldsNothingBack) {
    GicRig rig = make(4);
    for (u32 n = 0; n < 6; ++n) { // the last two without a list register left
        nest(rig, 40 + n, 0x80);
        rig.lists[0].clear_active_priorities();
    }
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0x3f00u);
    nest(rig, 46, 0x80);
    rig.end(46);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0x3f00u) << "and its end is not taken for theirs";
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, OneThatCameBeforeTheActivePrioritiesWereClearedIsSignalledAtOnce) {
    GicRig rig = make(2);
    nest(rig, 40, 0x80);
    rig.lists[0].clear_active_priorities();
    nest(rig, 41, 0x80);
    arm_edge(rig, 42, 0x80);
    rig.pulse(42);
    EXPECT_EQ(rig.take(), 1023u);
    rig.lists[0].clear_active_priorities(); // no exit tells of it
    EXPECT_EQ(rig.serve(), 42u);
}

TEST_P(GicUnlisted, AWaitEndsForWhatNoActivePriorityHoldsBack) {
    for (const bool cleared : {false, true}) {
        GicRig rig = make(1);
        nest(rig, 40, 0x40);
        nest(rig, 41, 0x20);
        if (cleared)
            rig.lists[0].clear_active_priorities();
        arm_edge(rig, 42, 0x80);
        rig.pulse(42);
        EXPECT_EQ(rig.deliverable(), cleared);
        EXPECT_EQ(rig.take(), cleared ? 42u : 1023u);
    }
}

TEST_P(GicUnlisted, TheEndsOfThoseWhoseActivePrioritiesThatAreOnlyLaterPutBackAreFound) {
    GicRig rig = make(1);
    nest(rig, 40, 0x80);
    const auto first = rig.lists[0].active_priorities();
    rig.lists[0].clear_active_priorities();
    nest(rig, 41, 0x80); // 40 has no list register any more
    rig.end(41);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0x100u);
    nest(rig, 42, 0x90);
    rig.lists[0].set_active_priorities(first);
    rig.end(40);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0x400u);
}

TEST_P(GicUnlisted, WhatWasDroppedInEoiMode1HoldsNothingBackInEoiMode0) {
    GicRig rig = make(4);
    rig.set_control(0, kSplit);
    for (u32 n = 0; n < 4; ++n) {
        nest(rig, 40 + n, 0x80);
        rig.end(40 + n);
    }
    rig.set_control(0, ListRegisters::kOpen);
    nest(rig, 60, 0x80); // in the place of one of them
    nest(rig, 61, 0x40); // likewise, not in that of the one that runs
    rig.end(61);
    rig.end(60);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0xf00u);
    // Where they are deactivated before anything else tells that the mode has changed.
    rig.lists[0].set_control(kSplit);
    nest(rig, 60, 0x80);
    rig.lists[0].set_control(kSplit);
    EXPECT_EQ(rig.lists[0].deactivation(), aarch64::Deactivation::trapped);
    for (const u32 intid : {60u, 41u, 40u, 43u, 42u})
        rig.deactivate(intid);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, WithSplitEndsThoseThatWaitFollowWhenTheLastOfTheListedOnesIsTaken) {
    GicRig rig = make(2);
    rig.set_control(0, kSplit);
    for (u32 n = 0; n < 7; ++n) {
        arm_edge(rig, 40 + n, 0x80);
        rig.pulse(40 + n);
    }
    for (u32 n = 0; n < 7; ++n) {
        ASSERT_EQ(rig.take(), 40 + n);
        rig.end(40 + n); // the priority drop; the host hears only what it asked for
    }
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_EQ(rig.lists[0].maintenance_causes() & aarch64::maintenance::kNoPending, 0u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, AnEndThatARegisterWriteMadeIsNotTakenForAnothers) {
    GicRig rig = make(1);
    nest(rig, 40, 0x80);
    nest(rig, 41, 0x40);
    rig.write_bit(gicd::kIcactiver, 41); // its priority still runs
    rig.end(41);
    EXPECT_TRUE(rig.bit_of(gicd::kIsactiver, 40));
    rig.end(40);
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 40));
}

TEST_P(GicUnlisted, EndsThatCameBeforeDoNotCount) {
    GicRig rig = make(1);
    nest(rig, 40, 0x80);
    rig.write_bit(gicd::kIcactiver, 40);
    rig.end(40); // counted by the hardware, and nobody listens
    nest(rig, 41, 0x80);
    nest(rig, 42, 0x40);
    EXPECT_TRUE(rig.bit_of(gicd::kIsactiver, 41));
    rig.end(42);
    rig.end(41);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0u);
}

TEST_P(GicUnlisted, AnUnlistedInterruptCanBeEndedByARegisterWrite) {
    GicRig rig = make(1);
    nest(rig, 40, 0x80);
    nest(rig, 41, 0x40);
    rig.pulse(40);
    rig.write_bit(gicd::kIcactiver, 40);
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 40));
    rig.end(41);
    rig.end(40); // the guest ends what is no longer active
    EXPECT_EQ(rig.serve(), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, WithSplitEndsAnyNumberIsActiveAndEndsInAnyOrder) {
    GicRig rig = make(4);
    rig.set_control(0, kSplit);
    for (u32 n = 0; n < 6; ++n) {
        nest(rig, 40 + n, 0x80);
        rig.end(40 + n);
    }
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0x3f00u);
    EXPECT_EQ(rig.lists[0].deactivation(), aarch64::Deactivation::trapped);
    for (const u32 intid : {42u, 45u, 40u, 44u, 43u, 41u})
        rig.deactivate(intid);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0u);
    rig.sync();
    EXPECT_EQ(rig.lists[0].deactivation(), aarch64::Deactivation::by_hardware);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, WithoutTheCountAnActiveInterruptKeepsItsListRegister) {
    ListRegisters::Abilities abilities = ListRegisters::full(1);
    abilities.unlisted_ends = false;
    GicRig rig = make(abilities);
    nest(rig, 40, 0x80);
    arm_edge(rig, 41, 0x10);
    rig.pulse(41);
    EXPECT_EQ(rig.lists[0].at(0).intid, 40u);
    EXPECT_EQ(rig.lists[0].at(0).state, State::active);
    rig.end(40);
    EXPECT_EQ(rig.serve(), 41u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, AnEndIsFoundAlthoughAnotherOfItsPriorityWasTakenSince) {
    GicRig rig = make(2);
    nest(rig, 40, 0x80);
    nest(rig, 41, 0x40);
    nest(rig, 42, 0x20);
    arm_edge(rig, 43, 0x80);
    rig.pulse(43);
    for (const u32 intid : {42u, 41u, 40u})
        rig.lists[0].end(intid); // nobody looks until all has happened
    ASSERT_EQ(rig.take(), 43u);
    rig.settle();
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0x800u);
    rig.end(43);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0u);
    EXPECT_EQ(rig.violation(), nullptr);
}

// With GICv2 the page of GICC_DIR is always there to trap.
using GicUnlistedV3 = GicUnlisted;
INSTANTIATE_TEST_SUITE_P(Version, GicUnlistedV3, testing::Values(GicVersion::v3), [](const auto &) { return "v3"; });

TEST_P(GicUnlistedV3, WithoutTheTrapSplitEndsKeepTheirListRegisters) {
    ListRegisters::Abilities abilities = ListRegisters::full(1);
    abilities.deactivation_trap = false;
    GicRig rig = make(abilities);
    rig.set_control(0, kSplit);
    nest(rig, 40, 0x80);
    rig.end(40);
    arm_edge(rig, 41, 0x10);
    rig.pulse(41);
    EXPECT_EQ(rig.lists[0].at(0).intid, 40u);
    rig.lists[0].deactivate(40);
    rig.settle();
    EXPECT_EQ(rig.take(), 41u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, ATimerWhoseInterruptIsUnlistedFiresAgainAfterItsEnd) {
    GicRig rig = make(1);
    rig.timers[0].physical = 27;
    rig.arm(27, 0x80);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    ASSERT_EQ(rig.take(), 27u);
    nest(rig, 41, 0x40);
    rig.timers[0].clear_condition();
    rig.end(41);
    rig.end(27);
    EXPECT_FALSE(rig.timers[0].masked);
    EXPECT_EQ(rig.take(), 1023u);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
}

TEST_P(GicUnlisted, WhatIsUnlistedInAVcpuThatGoesOffStaysActive) {
    GicRig rig = make(1, 2);
    nest(rig, 40, 0x80);
    nest(rig, 41, 0x40);
    rig.turn_off(0);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1, 1), 0x300u);
    rig.route(40, 1);
    rig.pulse(40);
    EXPECT_EQ(rig.take(1), 1023u);
    rig.write_bit(gicd::kIcactiver, 40, 1);
    EXPECT_EQ(rig.serve(1), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, OneThatWasReroutedIsStillEndedByWhoAcknowledgedIt) {
    GicRig rig = make(1, 2);
    nest(rig, 40, 0x80);
    nest(rig, 41, 0x40);
    rig.route(40, 1);
    rig.pulse(40);
    EXPECT_EQ(rig.take(1), 1023u);
    rig.end(41, 0);
    rig.end(40, 0);
    EXPECT_EQ(rig.serve(1), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicUnlisted, SgisComeBackToAListRegisterWithTheirSender) {
    GicRig rig = make(1, 3);
    rig.arm(3, 0x80);
    rig.send_sgi(2, 0, 3);
    ASSERT_EQ(rig.take(), 3u);
    nest(rig, 41, 0x40);
    rig.end(41);
    rig.sync();
    EXPECT_EQ(rig.lists[0].at(0).intid, 3u) << "there was room again";
    EXPECT_EQ(rig.lists[0].at(0).source_cpu, rig.v2() ? 2u : 0u);
    rig.end(3, 0, rig.v2() ? u8{2} : u8{0});
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 3));
}

} // namespace
} // namespace sel4vm::test
