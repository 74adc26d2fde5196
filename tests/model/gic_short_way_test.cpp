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
    GicRig rig = make();
    rig.open();
    rig.arm(5, 0x40);
    rig.write_bits(gicd::kIgroupr, 0, ~u32{0});
    rig.send_sgi(0, 0, 5);
    EXPECT_TRUE(rig.lists[0].at(0).group1);
    EXPECT_EQ(rig.serve(), 5u);
    rig.write_bits(gicd::kIgroupr, 0, 0);
    rig.send_sgi(0, 0, 5);
    EXPECT_EQ(rig.lists[0].in_use(), 1u);
    EXPECT_FALSE(rig.lists[0].at(0).group1);
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

} // namespace
} // namespace sel4vm::test
