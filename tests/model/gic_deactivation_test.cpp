// SPDX-License-Identifier: BSD-2-Clause
//
// Guests that split the end of an interrupt (EOImode 1): the priority drop is the hardware's, the deactivation may come from any
// vCPU.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;

constexpr u32 kSplit = ListRegisters::kOpen | 1u << 9;

class GicDeactivation : public testing::TestWithParam<GicVersion> {
protected:
    GicRig make(u32 cpus = 2, u8 lists = 4) {
        GicRig rig({GetParam(), cpus, 64, ListRegisters::full(lists)});
        rig.open();
        for (u32 n = 0; n < cpus; ++n)
            rig.set_control(n, kSplit);
        return rig;
    }
    static void arm_edge(GicRig &rig, u32 intid, u32 cpu = 0) {
        rig.make_edge(intid, cpu);
        rig.arm(intid, 0x80, cpu);
    }
};

INSTANTIATE_TEST_SUITE_P(Versions, GicDeactivation, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &which) { return which.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicDeactivation, AnotherVcpuDeactivatesASharedInterrupt) {
    GicRig rig = make();
    arm_edge(rig, 40);
    rig.pulse(40);
    ASSERT_EQ(rig.take(0), 40u);
    rig.end(40, 0);
    rig.pulse(40);
    EXPECT_EQ(rig.take(0), 1023u) << "its priority dropped, but it is active";
    rig.deactivate(40, 1);
    EXPECT_EQ(rig.take(0), 40u);
    rig.end(40, 0);
    rig.deactivate(40, 1);
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 40));
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicDeactivation, TheVcpuThatAcknowledgedDeactivatesInAnyOrder) {
    GicRig rig = make(1);
    for (u32 intid = 40; intid < 43; ++intid) {
        arm_edge(rig, intid);
        rig.pulse(intid);
        ASSERT_EQ(rig.take(), intid);
        rig.end(intid);
    }
    rig.deactivate(40);
    rig.deactivate(42);
    rig.deactivate(41);
    EXPECT_EQ(rig.read_bits(gicd::kIsactiver, 1), 0u);
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicDeactivation, WhatAVcpuLeftActiveWhenItWentOffIsDeactivatedByAnother) {
    GicRig rig = make();
    arm_edge(rig, 40, 1);
    rig.pulse(40);
    ASSERT_EQ(rig.take(1), 40u);
    rig.turn_off(1);
    rig.route(40, 0);
    rig.pulse(40);
    EXPECT_EQ(rig.take(0), 1023u);
    rig.deactivate(40, 0);
    EXPECT_EQ(rig.take(0), 40u);
}

TEST_P(GicDeactivation, NobodyDeactivatesTheOthersPrivateInterrupts) {
    GicRig rig = make();
    rig.arm(20, 0x80, 0);
    rig.raise(20, 0);
    ASSERT_EQ(rig.take(0), 20u);
    rig.end(20, 0);
    rig.deactivate(20, 1);
    EXPECT_TRUE(rig.bit_of(gicd::kIsactiver, 20, 0));
    rig.deactivate(20, 0);
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 20, 0));
}

TEST_P(GicDeactivation, IsIgnoredWhileTheEndIsNotSplit) {
    GicRig rig = make();
    rig.set_control(1, ListRegisters::kOpen);
    arm_edge(rig, 40);
    rig.pulse(40);
    ASSERT_EQ(rig.take(0), 40u);
    rig.deactivate(40, 1);
    EXPECT_TRUE(rig.bit_of(gicd::kIsactiver, 40));
}

TEST_P(GicDeactivation, NumbersOfNoInterruptAreIgnored) {
    GicRig rig = make();
    for (const u32 intid : {32u + 64u, 1020u, 1023u, 8192u, 0xff'ffffu, ~0u})
        rig.deactivate(intid);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicDeactivation, IsTrappedOnlyWhereThereIsAnotherVcpu) {
    EXPECT_EQ(make(2).lists[1].deactivation(), aarch64::Deactivation::trapped);
    EXPECT_EQ(make(1).lists[0].deactivation(), aarch64::Deactivation::by_hardware);
}

} // namespace
} // namespace sel4vm::test
