// SPDX-License-Identifier: BSD-2-Clause
//
// What a host with every list-register ability makes possible: withdrawing, evicting, pending and active at once, fewer
// maintenance exits.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;
using State = aarch64::ListRegisterState;

class GicListRegisters : public testing::TestWithParam<GicVersion> {
protected:
    GicRig make(u32 cpus = 1, u8 count = 4) { return GicRig({GetParam(), cpus, 64, ListRegisters::full(count)}); }
};
INSTANTIATE_TEST_SUITE_P(Versions, GicListRegisters, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &version) { return version.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicListRegisters, ALoweredWireIsWithdrawn) {
    GicRig rig = make();
    rig.open();
    rig.arm(40);
    rig.raise(40);
    EXPECT_EQ(rig.lists[0].in_use(), 1u);
    rig.lower(40);
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
    EXPECT_EQ(rig.take(), 1023u);
}

TEST_P(GicListRegisters, ALoweredWireDoesNotTouchAnActiveInterrupt) {
    GicRig rig = make();
    rig.open();
    rig.arm(40);
    rig.raise(40);
    EXPECT_EQ(rig.take(), 40u);
    rig.lower(40);
    EXPECT_EQ(rig.lists[0].at(0).state, State::active);
    EXPECT_TRUE(rig.bit_of(gicd::kIsactiver, 40));
    rig.end(40);
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 40));
}

TEST_P(GicListRegisters, ALatchOutlivesTheWireThatWasPendingToo) {
    GicRig rig = make();
    rig.open();
    rig.arm(40);
    rig.raise(40);
    rig.write_bit(gicd::kIspendr, 40);
    rig.lower(40);
    EXPECT_EQ(rig.serve(), 40u);
    EXPECT_EQ(rig.serve(), 1023u);
}

TEST_P(GicListRegisters, ClearPendingWithdraws) {
    GicRig rig = make();
    rig.open();
    rig.make_edge(40);
    rig.arm(40);
    rig.pulse(40);
    EXPECT_EQ(rig.lists[0].in_use(), 1u);
    rig.write_bit(gicd::kIcpendr, 40);
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 40));
    EXPECT_EQ(rig.take(), 1023u);
}

TEST_P(GicListRegisters, DisablingWithdrawsAndEnablingLoadsAgain) {
    GicRig rig = make();
    rig.open();
    rig.make_edge(40);
    rig.arm(40);
    rig.pulse(40);
    rig.write_bit(gicd::kIcenabler, 40);
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 40));
    rig.write_bit(gicd::kIsenabler, 40);
    EXPECT_EQ(rig.serve(), 40u);
    EXPECT_EQ(rig.serve(), 1023u);
}

TEST_P(GicListRegisters, TurningTheDistributorOffWithdraws) {
    GicRig rig = make();
    rig.open();
    rig.arm(40);
    rig.arm(3);
    rig.raise(40);
    rig.send_sgi(0, 0, 3);
    rig.write(gicd::kCtlr, 0);
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
    rig.write(gicd::kCtlr, 3);
    EXPECT_EQ(rig.serve(), 3u);
    EXPECT_EQ(rig.take(), 40u);
}

TEST_P(GicListRegisters, AnUrgentInterruptEvictsALessUrgentPendingOne) {
    GicRig rig = make();
    rig.open();
    for (u32 intid = 32; intid < 36; ++intid) {
        rig.arm(intid, 0x80);
        rig.raise(intid);
    }
    rig.arm(50, 0x40);
    rig.raise(50);
    EXPECT_EQ(rig.lists[0].signalled()->intid, 50u);
    for (const u32 expected : {50u, 32u, 33u, 34u, 35u}) {
        const u32 taken = rig.take();
        EXPECT_EQ(taken, expected);
        rig.lower(taken);
        rig.end(taken);
    }
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicListRegisters, APriorityWrittenWhilePendingCounts) {
    GicRig rig = make();
    rig.open();
    rig.arm(40, 0x80);
    rig.arm(41, 0x60);
    rig.raise(40);
    rig.raise(41);
    rig.set_priority(40, 0x20);
    EXPECT_EQ(rig.take(), 40u);
}

TEST_P(GicListRegisters, RetargetingMovesAPendingInterrupt) {
    GicRig rig = make(2);
    rig.open();
    rig.make_edge(40);
    rig.arm(40);
    rig.pulse(40);
    EXPECT_EQ(rig.lists[0].in_use(), 1u);
    rig.route(40, 1);
    EXPECT_EQ(rig.take(0), 1023u);
    EXPECT_EQ(rig.serve(1), 40u);
    EXPECT_EQ(rig.serve(1), 1023u);
}

TEST_P(GicListRegisters, WhatIsRetargetedWhileActiveGoesToTheNewTargetAfterItsEnd) {
    GicRig rig = make(2);
    rig.open();
    rig.make_edge(40);
    rig.arm(40);
    rig.pulse(40);
    EXPECT_EQ(rig.take(0), 40u);
    rig.route(40, 1);
    rig.pulse(40);
    EXPECT_EQ(rig.take(1), 1023u) << "still active";
    rig.end(40, 0);
    EXPECT_EQ(rig.take(0), 1023u);
    EXPECT_EQ(rig.serve(1), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicListRegisters, AnSgiWhileActiveIsPendingAndActive) {
    GicRig rig = make(2);
    rig.open();
    rig.arm(5, 0x80, 1);
    rig.send_sgi(0, 1, 5);
    EXPECT_EQ(rig.take(1), 5u);
    rig.send_sgi(0, 1, 5);
    EXPECT_EQ(rig.lists[1].at(0).state, State::pending_and_active);
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 5, 1));
    EXPECT_TRUE(rig.bit_of(gicd::kIsactiver, 5, 1));
    rig.end(5, 1);
    EXPECT_EQ(rig.serve(1), 5u);
    EXPECT_EQ(rig.serve(1), 1023u);
}

TEST_P(GicListRegisters, AnSgiSentTwiceBeforeItIsTakenIsOne) {
    GicRig rig = make();
    rig.open();
    rig.arm(5);
    rig.send_sgi(0, 0, 5);
    rig.send_sgi(0, 0, 5);
    EXPECT_EQ(rig.serve(), 5u);
    EXPECT_EQ(rig.serve(), 1023u);
}

TEST_P(GicListRegisters, ClearingTheActiveStateEndsAnInterrupt) {
    GicRig rig = make(2);
    rig.open();
    rig.arm(40, 0x80, 1);
    rig.raise(40);
    EXPECT_EQ(rig.take(1), 40u);
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 40)) << "another vCPU's list registers cannot be read from here";
    EXPECT_TRUE(rig.bit_of(gicd::kIsactiver, 40)) << "but asking made it report";
    rig.lower(40);
    rig.write_bit(gicd::kIcactiver, 40); // vCPU 0, while vCPU 1 has it
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 40));
    EXPECT_EQ(rig.lists[1].in_use(), 0u);
}

TEST_P(GicListRegisters, SettingTheActiveStateHoldsAnInterruptBackUntilItIsEnded) {
    GicRig rig = make();
    rig.open();
    rig.arm(40);
    rig.write_bit(gicd::kIsactiver, 40);
    rig.raise(40);
    EXPECT_FALSE(rig.deliverable());
    EXPECT_EQ(rig.take(), 1023u);
    rig.lists[0].deactivate(40);
    rig.settle();
    EXPECT_EQ(rig.take(), 40u);
}

TEST_P(GicListRegisters, ActiveBySoftwareGivesWayToPendingInterrupts) {
    GicRig rig = make();
    rig.open();
    rig.write_bits(gicd::kIsactiver, 1, ~u32{0});
    for (u32 intid = 64; intid < 70; ++intid) {
        rig.make_edge(intid);
        rig.arm(intid);
        rig.pulse(intid);
    }
    for (u32 intid = 64; intid < 70; ++intid)
        EXPECT_EQ(rig.serve(), intid);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), ~u32{0});
    rig.write_bits(gicd::kIcactiver, 1, ~u32{0});
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicListRegisters, EdgesAndSgisNeedNoMaintenanceLevelsDo) {
    GicRig rig = make();
    rig.open();
    rig.make_edge(40);
    rig.arm(40);
    rig.arm(41);
    rig.arm(5);
    rig.pulse(40);
    EXPECT_FALSE(rig.lists[0].at(0).eoi_maintenance);
    rig.raise(41);
    EXPECT_TRUE(rig.lists[0].at(1).eoi_maintenance);
    rig.send_sgi(0, 0, 5);
    EXPECT_FALSE(rig.lists[0].at(2).eoi_maintenance);
}

TEST_P(GicListRegisters, UnderflowMaintenanceIsOnOnlyWhileInterruptsWait) {
    GicRig rig = make();
    rig.open();
    for (u32 intid = 32; intid < 40; ++intid) {
        rig.make_edge(intid);
        rig.arm(intid);
        rig.pulse(intid);
    }
    EXPECT_TRUE(rig.lists[0].underflow_maintenance());
    for (u32 n = 0; n < 8; ++n)
        EXPECT_EQ(rig.serve(), 32 + n);
    EXPECT_FALSE(rig.lists[0].underflow_maintenance());
    EXPECT_EQ(rig.serve(), 1023u);
}

TEST_P(GicListRegisters, WaitingBehindActiveInterruptsDoesNotRelyOnUnderflow) {
    GicRig rig = make();
    rig.open();
    const u8 priorities[] = {0xa0, 0x90, 0x80, 0x70};
    for (u32 n = 0; n < 4; ++n) { // four nested handlers fill the list registers
        rig.make_edge(32 + n);
        rig.arm(32 + n, priorities[n]);
        rig.pulse(32 + n);
        EXPECT_EQ(rig.take(), 32 + n);
    }
    rig.make_edge(50);
    rig.arm(50, 0x70);
    rig.pulse(50);
    EXPECT_EQ(rig.take(), 1023u) << "it is no more urgent than what runs";
    rig.end(35);
    EXPECT_EQ(rig.take(), 50u);
}

TEST_P(GicListRegisters, ATimerWhoseConditionWentAwayIsWithdrawn) {
    GicRig rig = make();
    rig.open();
    rig.arm(27);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.lists[0].in_use(), 1u);
    rig.timers[0].clear_condition();
    rig.sync();
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_FALSE(rig.timers[0].masked);
}

TEST_P(GicListRegisters, PendingTellsTheTimersConditionNow) {
    GicRig rig = make();
    rig.open();
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 27));
    rig.timers[0].clear_condition();
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 27));
}

TEST_P(GicListRegisters, ATimerThatFiresBeforeItsEndWasSeenIsNotForgotten) {
    GicRig rig = make();
    rig.open();
    rig.arm(27);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
    rig.lists[0].end(27); // maintenance is on its way, but the next expiry is first
    rig.timers[0].masked = false;
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
    EXPECT_TRUE(rig.core.irqs().cpu(0).timer.masked);
}

TEST_P(GicListRegisters, ALinkedTimerNeedsNoMaintenance) {
    GicRig rig = make();
    rig.open();
    rig.arm(27);
    for (int round = 0; round < 3; ++round) {
        rig.timers[0].meet_condition();
        rig.timers[0].masked = false;
        rig.timers[0].physical = 0;
        rig.fire_timer();
        EXPECT_FALSE(rig.lists[0].at(0).hardware_linked) << "no physical interrupt was named when it was attached";
        EXPECT_EQ(rig.serve(), 27u);
    }
    rig.timers[0].physical = 30;
    ASSERT_TRUE(rig.core.attach(0, rig.lists[0], rig.timers[0]).has_value());
    for (int round = 0; round < 3; ++round) {
        const unsigned unmasks = rig.timers[0].unmasks;
        rig.timers[0].masked = false;
        rig.fire_timer();
        EXPECT_TRUE(rig.lists[0].at(0).hardware_linked);
        EXPECT_EQ(rig.lists[0].at(0).physical_intid, 30u);
        EXPECT_EQ(rig.take(), 27u);
        EXPECT_TRUE(rig.timers[0].masked);
        rig.end(27);
        EXPECT_FALSE(rig.timers[0].masked) << "by the hardware";
        EXPECT_EQ(rig.timers[0].unmasks, unmasks);
    }
    rig.timers[0].clear_condition();
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 27));
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicListRegisters, ALinkedTimerThatComesAgainShowsWhatChangedMeanwhile) {
    GicRig rig = make();
    rig.timers[0].physical = 27;
    ASSERT_TRUE(rig.core.attach(0, rig.lists[0], rig.timers[0]).has_value());
    rig.open();
    rig.arm(27, 0x40);
    rig.timers[0].meet_condition();
    const auto come_again = [&rig] {
        EXPECT_EQ(rig.take(), 27u);
        rig.end(27);
        rig.timers[0].masked = false;
    };
    rig.fire_timer();
    come_again();
    rig.set_priority(27, 0x80);
    rig.fire_timer();
    EXPECT_EQ(rig.lists[0].at(0).priority, 0x80);
    come_again();
    rig.write_bit(gicd::kIcenabler, 27);
    rig.fire_timer();
    EXPECT_EQ(rig.lists[0].in_use(), 0u) << "it is disabled";
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 27));
    rig.write_bit(gicd::kIsenabler, 27);
    come_again();
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicListRegisters, ALinkedTimerThatIsEndedByARegisterIsUnmasked) {
    GicRig rig = make();
    rig.timers[0].physical = 27;
    ASSERT_TRUE(rig.core.attach(0, rig.lists[0], rig.timers[0]).has_value());
    rig.open();
    rig.arm(27);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
    rig.write_bit(gicd::kIcactiver, 27);
    EXPECT_FALSE(rig.timers[0].masked);
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
}

TEST_P(GicListRegisters, ALinkedTimerReportsItsEndWhileOthersWait) {
    GicRig rig = make(1, 1);
    rig.timers[0].physical = 27;
    ASSERT_TRUE(rig.core.attach(0, rig.lists[0], rig.timers[0]).has_value());
    rig.open();
    rig.arm(27, 0x40);
    rig.make_edge(40);
    rig.arm(40, 0x80);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
    rig.pulse(40);
    rig.timers[0].clear_condition();
    rig.end(27);
    EXPECT_FALSE(rig.timers[0].masked);
    EXPECT_EQ(rig.take(), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicListRegisters, DeliverableFollowsTheCpuInterface) {
    GicRig rig = make();
    rig.open();
    rig.arm(40, 0x80);
    rig.raise(40);
    EXPECT_TRUE(rig.deliverable());
    rig.lists[0].set_control(0x8000'0003);
    EXPECT_FALSE(rig.deliverable()) << "masked by priority";
    rig.lists[0].set_control(0xf800'0002);
    EXPECT_FALSE(rig.deliverable()) << "group 0 is off";
    rig.lists[0].set_control(ListRegisters::kOpen);
    EXPECT_EQ(rig.take(), 40u);
    rig.arm(41, 0x80);
    rig.raise(41);
    EXPECT_FALSE(rig.deliverable()) << "does not preempt";
    rig.arm(42, 0x40);
    rig.raise(42);
    EXPECT_TRUE(rig.deliverable());
    rig.write_bit(gicd::kIcenabler, 42);
    rig.lists[0].set_control(ListRegisters::kOpen | 1u << 9);
    EXPECT_FALSE(rig.deliverable());
    rig.lists[0].end(40); // with EOImode 1: the priority drop
    EXPECT_TRUE(rig.deliverable());
}

} // namespace
} // namespace sel4vm::test
