// SPDX-License-Identifier: BSD-2-Clause
//
// The short ways of the GIC, for one interrupt that comes again while no other is about: what changed since its last occurrence counts.
#include <gtest/gtest.h>
#include <support/gic_rig.hpp>

namespace sel4vm::test {
namespace {

class GicShortWay : public testing::TestWithParam<dev::GicVersion> {
protected:
    GicRig make(u32 cpus = 1) { return GicRig({.version = GetParam(), .cpus = cpus}); }
};
INSTANTIATE_TEST_SUITE_P(Gic, GicShortWay, testing::Values(dev::GicVersion::v2, dev::GicVersion::v3),
                         [](const auto &param) { return param.param == dev::GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicShortWay, AnSgiThatComesAgainHasItsNewPriority) {
    GicRig rig = make();
    rig.open();
    rig.arm(5, 0x40);
    rig.send_sgi(0, 0, 5);
    EXPECT_EQ(rig.serve(), 5u);
    rig.send_sgi(0, 0, 5); // as before
    EXPECT_EQ(rig.lists[0].at(0).priority, 0x40);
    EXPECT_EQ(rig.serve(), 5u);
    rig.automatic = false; // the write must not have anybody look at the list registers
    rig.set_priority(5, 0x80);
    rig.automatic = true;
    rig.send_sgi(0, 0, 5);
    const auto taken = rig.acknowledge();
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->priority, 0x80);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicShortWay, AnSgiThatComesAgainIsInItsNewGroup) {
    for (const u32 sgi : {0u, 1u, 5u, 15u}) {
        GicRig rig = make();
        rig.open();
        rig.arm(sgi, 0x40);
        for (const u32 group1 : {~u32{0}, u32{0}, ~u32{0}}) {
            rig.write_bits(gicd::kIgroupr, 0, group1);
            rig.send_sgi(0, 0, sgi);
            EXPECT_EQ(rig.lists[0].in_use(), 1u);
            EXPECT_EQ(rig.lists[0].at(0).group1, group1 != 0) << sgi;
            EXPECT_EQ(rig.serve(), sgi);
        }
    }
}

TEST_P(GicShortWay, AnSgiWhoseListRegisterIsRefusedGoesToAnother) {
    GicRig rig({.version = GetParam(), .cpus = 1, .abilities = fake::ListRegisters::injection_only()});
    rig.open();
    rig.arm(5, 0x40);
    // Busy, which the model does not know.
    ASSERT_TRUE(rig.lists[0].write(
        0, {.state = aarch64::ListRegisterState::pending, .priority = 0x40, .eoi_maintenance = true, .intid = 40}));
    rig.send_sgi(0, 0, 5);
    EXPECT_EQ(rig.lists[0].at(0).intid, 40u);
    EXPECT_EQ(rig.lists[0].at(1).intid, 5u);
    EXPECT_EQ(rig.lists[0].at(1).state, aarch64::ListRegisterState::pending);
}

TEST_P(GicShortWay, APpiThatComesAloneIsNoSgi) {
    for (const u32 ppi : {16u, 17u, 31u}) {
        GicRig rig = make();
        rig.open();
        rig.arm(ppi, 0x40);
        rig.raise(ppi);
        rig.lower(ppi);
        rig.raise(ppi);
        EXPECT_EQ(rig.take(), ppi);
        rig.end(ppi);
        EXPECT_EQ(rig.take(), ppi) << "its wire is still high";
        rig.lower(ppi);
        rig.end(ppi);
        EXPECT_EQ(rig.take(), 1023u);
        EXPECT_EQ(rig.violation(), nullptr);
    }
}

TEST_P(GicShortWay, IsClosedWhileTheVcpuHasItsInterfaceToWatch) {
    enum class Event { sgi, timer };
    for (const bool again : {false, true})
        for (const Event event : {Event::sgi, Event::timer}) {
            GicRig rig = make(2);
            if (again && event == Event::timer) { // the timer comes again without the library only through a link
                rig.timers[0].physical = 27;
                ASSERT_TRUE(rig.core.attach(0, rig.lists[0], rig.timers[0]).has_value());
            }
            rig.open();
            rig.arm(5, 0x40);
            rig.arm(27, 0x40);
            rig.make_edge(40);
            rig.arm(40, 0x80);
            if (rig.v2())
                rig.write(gicd::kItargetsr + 40, 3, 0, Width::b1);
            else
                rig.write(gicd::kIrouter + 8 * 40, u64{1} << 31, 0, Width::b8);
            rig.timers[0].meet_condition();
            const auto come = [&] {
                if (event == Event::sgi)
                    rig.send_sgi(0, 0, 5);
                else
                    rig.fire_timer();
            };
            if (again) {
                come();
                EXPECT_EQ(rig.serve(0), event == Event::sgi ? 5u : 27u);
            }
            rig.lists[0].set_control(0x5000'0003); // a lower mask, which no maintenance interrupt tells
            come();
            rig.pulse(40);
            EXPECT_EQ(rig.take(1), 40u) << again;
            EXPECT_EQ(rig.violation(), nullptr);
        }
}

TEST_P(GicShortWay, WhatComesAgainStaysInItsListRegister) {
    GicRig rig = make();
    rig.timers[0].physical = 27;
    ASSERT_TRUE(rig.core.attach(0, rig.lists[0], rig.timers[0]).has_value());
    rig.open();
    rig.make_edge(40);
    rig.arm(40, 0x20);
    rig.arm(5, 0x40);
    rig.arm(27, 0x40);
    for (const u32 intid : {5u, 27u}) {
        rig.pulse(40); // takes the first one
        const auto come = [&] {
            rig.timers[0].meet_condition();
            if (intid == 27)
                rig.fire_timer();
            else
                rig.send_sgi(0, 0, intid);
        };
        come();
        EXPECT_EQ(rig.serve(), 40u);
        rig.sync();
        for (int n = 0; n < 3; ++n) {
            EXPECT_EQ(rig.lists[0].at(1).intid, intid);
            EXPECT_EQ(rig.lists[0].at(1).state, aarch64::ListRegisterState::pending);
            EXPECT_EQ(rig.serve(), intid);
            come();
        }
        EXPECT_EQ(rig.serve(), intid);
        rig.sync();
    }
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicShortWay, AnSgiThatComesAgainWhileDisabledWaits) {
    GicRig rig = make();
    rig.open();
    rig.arm(5, 0x40);
    rig.send_sgi(0, 0, 5);
    EXPECT_EQ(rig.serve(), 5u);
    rig.write_bit(gicd::kIcenabler, 5);
    rig.send_sgi(0, 0, 5);
    EXPECT_EQ(rig.take(), 1023u);
    rig.write_bit(gicd::kIsenabler, 5);
    EXPECT_EQ(rig.take(), 5u);
}

TEST_P(GicShortWay, AnSgiBesideAnActiveInterruptGoesTheLongWay) {
    GicRig rig = make();
    rig.open();
    rig.arm(5, 0x40);
    rig.make_edge(40);
    rig.arm(40, 0x80);
    rig.send_sgi(0, 0, 5);
    EXPECT_EQ(rig.serve(), 5u);
    rig.pulse(40);
    EXPECT_EQ(rig.take(), 40u);
    rig.send_sgi(0, 0, 5);
    EXPECT_EQ(rig.take(), 5u) << "it preempts";
    rig.end(5);
    rig.end(40);
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicShortWay, TheEndOfALinkedTimerThatFiredAgainLeavesItMasked) {
    GicRig rig = make();
    rig.timers[0].physical = 27;
    ASSERT_TRUE(rig.core.attach(0, rig.lists[0], rig.timers[0]).has_value());
    rig.open();
    rig.arm(27, 0x40);
    rig.make_edge(40);
    rig.arm(40, 0x80);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_EQ(rig.take(), 27u);
    rig.end(27); // by the link: nobody of the library was asked
    EXPECT_FALSE(rig.timers[0].masked);
    // It fires again, and the host masks it before the library has seen the end, because of another interrupt.
    ASSERT_TRUE(rig.timers[0].fires());
    const unsigned unmasks = rig.timers[0].unmasks;
    rig.pulse(40);
    EXPECT_EQ(rig.timers[0].unmasks, unmasks)
        << "the hardware's end has unmasked it; once more would undo the host's mask";
    EXPECT_TRUE(rig.timers[0].masked);
    rig.core.delivery(0).timer_fired(27);
    rig.settle();
    EXPECT_EQ(rig.take(), 27u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicShortWay, AnSgiAsksForMaintenanceOnlyWhenSomebodyListens) {
    for (const u32 listener : {5u, 6u}) {
        GicRig rig = make();
        rig.core.irqs().word(0, 0).listened = bit<u32>(listener);
        rig.open();
        rig.arm(5, 0x40);
        for (int n = 0; n < 3; ++n) {
            rig.send_sgi(0, 0, 5);
            EXPECT_EQ(rig.lists[0].at(0).eoi_maintenance, listener == 5);
            EXPECT_EQ(rig.serve(), 5u);
            EXPECT_EQ(rig.core.irqs().finished().size(), listener == 5 ? 1u : 0u);
            rig.core.irqs().finished().clear();
        }
        EXPECT_EQ(rig.violation(), nullptr);
    }
}

TEST_P(GicShortWay, AnSgiThatComesAgainNamesItsNewSender) {
    GicRig rig = make(3);
    rig.open();
    rig.arm(5, 0x40);
    for (const u32 sender : {1u, 1u, 2u, 0u, 1u}) {
        rig.send_sgi(sender, 0, 5);
        const auto taken = rig.acknowledge();
        ASSERT_TRUE(taken.has_value());
        EXPECT_EQ(taken->source, rig.v2() ? sender : 0u);
        rig.end(5, 0, taken->source);
    }
    EXPECT_EQ(rig.take(), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicShortWay, ATimerThatFiresWhileAnotherWaitsIsLoadedTogetherWithIt) {
    GicRig rig = make();
    rig.open();
    rig.arm(27, 0x40);
    rig.make_edge(40);
    rig.arm(40, 0x80);
    rig.timers[0].meet_condition();
    rig.automatic = false; // the vCPU has not come to look yet
    rig.pulse(40);
    rig.fire_timer();
    EXPECT_EQ(rig.lists[0].in_use(), 2u);
    EXPECT_EQ(rig.serve(), 27u);
    EXPECT_EQ(rig.serve(), 40u);
}

TEST_P(GicShortWay, ATimerThatHasBecomeEdgeTriggeredIsNotLinkedAgain) {
    GicRig rig = make();
    rig.timers[0].physical = 27;
    ASSERT_TRUE(rig.core.attach(0, rig.lists[0], rig.timers[0]).has_value());
    rig.open();
    rig.arm(27, 0x40);
    rig.timers[0].meet_condition();
    rig.fire_timer();
    EXPECT_TRUE(rig.lists[0].at(0).hardware_linked);
    EXPECT_EQ(rig.serve(), 27u);
    rig.automatic = false; // nobody looks at the list register meanwhile
    rig.make_edge(27);
    rig.fire_timer();
    EXPECT_EQ(rig.lists[0].in_use(), 1u);
    EXPECT_FALSE(rig.lists[0].at(0).hardware_linked) << "an edge is not over with its cause";
}

} // namespace
} // namespace sel4vm::test
