// SPDX-License-Identifier: BSD-2-Clause
//
// Delivery of interrupts through list registers, for both versions and both kinds of host.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;
using State = aarch64::ListRegisterState;

struct Kind {
    GicVersion version;
    bool full;
};

class GicDelivery : public testing::TestWithParam<Kind> {
protected:
    GicRig make(u32 cpus = 1, u8 count = 4) {
        return GicRig({GetParam().version, cpus, 64,
                       GetParam().full ? ListRegisters::full(count) : ListRegisters::injection_only(count)});
    }
    [[nodiscard]] bool full() const { return GetParam().full; }
};

INSTANTIATE_TEST_SUITE_P(Kinds, GicDelivery,
                         testing::Values(Kind{GicVersion::v2, true}, Kind{GicVersion::v2, false},
                                         Kind{GicVersion::v3, true}, Kind{GicVersion::v3, false}),
                         [](const auto &kind) {
                             return std::string(kind.param.version == GicVersion::v2 ? "v2" : "v3") +
                                    (kind.param.full ? "Full" : "InjectionOnly");
                         });

TEST_P(GicDelivery, ALevelInterruptIsDeliveredAgainWhileItsWireIsHigh) {
    GicRig rig = make();
    rig.open();
    rig.arm(40);
    rig.raise(40);
    EXPECT_EQ(rig.take(), 40u);
    EXPECT_EQ(rig.take(), 1023u) << "active: not signalled again";
    rig.end(40);
    EXPECT_EQ(rig.take(), 40u);
    rig.lower(40);
    rig.end(40);
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicDelivery, AnEdgeIsDeliveredOnce) {
    GicRig rig = make();
    rig.open();
    rig.make_edge(40);
    rig.arm(40);
    rig.raise(40);
    EXPECT_EQ(rig.serve(), 40u);
    EXPECT_EQ(rig.serve(), 1023u);
    rig.lower(40);
    EXPECT_EQ(rig.serve(), 1023u);
    rig.raise(40);
    EXPECT_EQ(rig.serve(), 40u);
}

TEST_P(GicDelivery, AnEdgeWhileActiveIsDeliveredAfterTheEnd) {
    GicRig rig = make();
    rig.open();
    rig.make_edge(40);
    rig.arm(40);
    rig.pulse(40);
    EXPECT_EQ(rig.take(), 40u);
    rig.pulse(40);
    EXPECT_EQ(rig.take(), 1023u);
    rig.end(40);
    EXPECT_EQ(rig.serve(), 40u);
    EXPECT_EQ(rig.serve(), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicDelivery, WhatIsDisabledWaits) {
    GicRig rig = make();
    rig.open();
    rig.set_priority(40, 0x80);
    rig.route(40, 0);
    rig.raise(40);
    EXPECT_FALSE(rig.deliverable());
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 40));
    rig.write_bit(gicd::kIsenabler, 40);
    EXPECT_TRUE(rig.deliverable());
    EXPECT_EQ(rig.take(), 40u);
}

TEST_P(GicDelivery, WhatTheDistributorDoesNotForwardWaits) {
    GicRig rig = make();
    rig.arm(40);
    rig.raise(40);
    rig.send_sgi(0, 0, 3);
    rig.arm(3);
    EXPECT_FALSE(rig.deliverable());
    EXPECT_EQ(rig.take(), 1023u);
    rig.open();
    EXPECT_TRUE(rig.deliverable());
    EXPECT_EQ(rig.serve(), 3u) << "an SGI sent while the distributor is off is not lost";
    EXPECT_EQ(rig.serve(), 40u);
}

TEST_P(GicDelivery, GroupsAreForwardedSeparately) {
    GicRig rig = make();
    rig.write(gicd::kCtlr, 2);
    rig.write_bits(gicd::kIgroupr, 1, bit<u32>(9));
    rig.arm(40);
    rig.arm(41);
    rig.raise(40);
    rig.raise(41);
    EXPECT_EQ(rig.lists[0].signalled()->intid, 41u);
    EXPECT_EQ(rig.lists[0].in_use(), 1u);
    EXPECT_TRUE(rig.lists[0].at(0).group1);
    rig.write(gicd::kCtlr, 3);
    EXPECT_EQ(rig.take(), 40u);
}

TEST_P(GicDelivery, MorePendingThanListRegistersComeInPriorityOrder) {
    GicRig rig = make();
    for (u32 n = 0; n < 20; ++n)
        rig.arm(32 + n, static_cast<u8>((20 - n) * 8));
    for (u32 n = 0; n < 20; ++n)
        rig.raise(32 + n);
    rig.open();
    for (u32 n = 20; n-- > 0;) {
        const u32 taken = rig.take();
        EXPECT_EQ(taken, 32 + n);
        rig.lower(32 + n);
        rig.end(taken);
    }
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicDelivery, AllArriveThoughOnlyOneListRegisterExists) {
    GicRig rig = make(1, 1);
    rig.open();
    for (u32 intid = 32; intid < 40; ++intid) {
        rig.make_edge(intid);
        rig.arm(intid);
        rig.pulse(intid);
    }
    u32 seen = 0;
    while (true) {
        const u32 taken = rig.serve();
        if (taken == 1023)
            break;
        EXPECT_EQ(seen >> (taken - 32) & 1, 0u) << "delivered twice";
        seen |= 1u << (taken - 32);
    }
    EXPECT_EQ(seen, 0xffu);
}

TEST_P(GicDelivery, PrivateInterruptsBelongToTheirVcpu) {
    GicRig rig = make(2);
    rig.open();
    rig.arm(20, 0x80, 0);
    rig.arm(20, 0x80, 1);
    rig.raise(20, 1);
    EXPECT_EQ(rig.take(0), 1023u);
    EXPECT_EQ(rig.take(1), 20u);
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 20, 0));
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 20, 1));
}

TEST_P(GicDelivery, SetPendingOfALevelInterruptIsDeliveredOnce) {
    GicRig rig = make();
    rig.open();
    rig.arm(40);
    rig.write_bit(gicd::kIspendr, 40);
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 40));
    EXPECT_EQ(rig.serve(), 40u);
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 40));
    EXPECT_EQ(rig.serve(), 1023u);
}

TEST_P(GicDelivery, ClearPendingDoesNotLowerAWire) {
    GicRig rig = make();
    rig.open();
    rig.arm(40);
    rig.raise(40);
    rig.write_bit(gicd::kIcpendr, 40);
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 40));
    EXPECT_EQ(rig.take(), 40u);
}

TEST_P(GicDelivery, AnUnroutedInterruptWaitsForItsTarget) {
    GicRig rig = make(2);
    rig.open();
    rig.arm(40, 0x80, 1);
    if (rig.v2())
        rig.write(gicd::kItargetsr + 40, 0, 0, Width::b1);
    else
        rig.write(gicd::kIrouter + 8 * 40, 0x77, 0, Width::b8);
    rig.make_edge(40);
    rig.pulse(40);
    EXPECT_EQ(rig.take(0), 1023u);
    EXPECT_EQ(rig.take(1), 1023u);
    rig.route(40, 1);
    EXPECT_EQ(rig.take(1), 40u);
}

TEST_P(GicDelivery, ResetForgetsEverythingButTheWires) {
    GicRig rig = make();
    rig.open();
    rig.arm(40);
    rig.raise(40);
    rig.make_edge(41);
    rig.arm(41);
    rig.pulse(41);
    rig.core.reset();
    EXPECT_EQ(rig.take_wakes(), 0u);
    EXPECT_FALSE(rig.deliverable());
    EXPECT_FALSE(rig.bit_of(gicd::kIsenabler, 40));
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 40)) << "the wire is still high";
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 41));
    if (!full()) {
        // What could not be taken back comes as two interrupts that nobody asked for, and frees its list registers.
        rig.turn_on(0);
        EXPECT_NE(rig.serve(), 1023u);
        EXPECT_NE(rig.serve(), 1023u);
    }
    rig.turn_on(0);
    rig.open();
    rig.arm(40);
    EXPECT_EQ(rig.serve(), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicDelivery, TheTimerIsUnmaskedAtItsEnd) {
    GicRig rig = make();
    rig.open();
    rig.arm(27);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
    EXPECT_TRUE(rig.timers[0].masked);
    rig.timers[0].clear_condition();
    rig.end(27);
    EXPECT_FALSE(rig.timers[0].masked);
    EXPECT_FALSE(rig.timers[0].fires());
    EXPECT_EQ(rig.take(), 1023u);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
}

TEST_P(GicDelivery, ATimerThatFiresWhileAnotherIsListedComesBesideIt) {
    GicRig rig = make();
    rig.open();
    rig.arm(40, 0x80);
    rig.arm(27, 0x40);
    rig.raise(40);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
    rig.timers[0].clear_condition();
    rig.end(27);
    EXPECT_EQ(rig.take(), 40u);
    rig.lower(40);
    rig.end(40);
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicDelivery, ATimerThatIsEdgeTriggeredIsPendingUntilItIsTaken) {
    GicRig rig = make();
    rig.open();
    rig.make_edge(27);
    rig.arm(27);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 27));
    EXPECT_EQ(rig.serve(), 27u);
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 27));
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicDelivery, ATimerWhoseConditionHoldsFiresAgainAfterTheEnd) {
    GicRig rig = make();
    rig.open();
    rig.arm(27);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.serve(), 27u);
    EXPECT_EQ(rig.take(), 1023u);
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
}

TEST_P(GicDelivery, ATimerThatIsDisabledStaysMaskedAndIsDeliveredLater) {
    GicRig rig = make();
    rig.open();
    rig.timers[0].meet_condition();
    rig.fire_timer();
    for (int n = 0; n < 5; ++n)
        rig.sync();
    EXPECT_TRUE(rig.timers[0].masked) << "it would fire again and again";
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 27));
    EXPECT_FALSE(rig.deliverable());
    rig.arm(27);
    EXPECT_EQ(rig.take(), 27u);
}

TEST_P(GicDelivery, ATimerWhoseConditionWentAwayWhileDisabledIsNotDelivered) {
    GicRig rig = make();
    rig.open();
    rig.timers[0].meet_condition();
    rig.fire_timer();
    rig.timers[0].clear_condition();
    rig.arm(27);
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_FALSE(rig.timers[0].masked);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
}

} // namespace
} // namespace sel4vm::test
