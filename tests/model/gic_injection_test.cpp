// SPDX-License-Identifier: BSD-2-Clause
//
// A host that can only put interrupts into free list registers, and is spared touching what is busy.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;
using State = aarch64::ListRegisterState;

TEST(GicInjectionOnly, ABusyListRegisterIsLeftAlone) {
    GicRig rig({GicVersion::v2, 1, 64, ListRegisters::injection_only(2)});
    rig.open();
    for (u32 intid = 32; intid < 36; ++intid) {
        rig.make_edge(intid);
        rig.arm(intid, 0x80);
        rig.pulse(intid);
    }
    rig.arm(50, 0x10);
    rig.raise(50);
    EXPECT_EQ(rig.lists[0].writes(), 2u);
    EXPECT_EQ(rig.serve(), 32u);
    EXPECT_EQ(rig.take(), 50u) << "the most urgent one is next, as soon as there is room";
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST(GicInjectionOnly, WhatCannotBeWithdrawnComesOnceAndIsForgotten) {
    GicRig rig({GicVersion::v2, 1, 64, ListRegisters::injection_only()});
    rig.open();
    rig.make_edge(40);
    rig.arm(40);
    rig.pulse(40);
    rig.write_bit(gicd::kIcpendr, 40);
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 40));
    EXPECT_EQ(rig.serve(), 40u);
    EXPECT_EQ(rig.serve(), 1023u);
}

TEST(GicInjectionOnly, AHostThatRefusesAWriteLosesNothing) {
    GicRig rig({GicVersion::v3, 1, 64, ListRegisters::injection_only(2)});
    rig.open();
    // The host itself put something into register 0.
    ASSERT_TRUE(rig.lists[0].write(0, {.state = State::pending, .eoi_maintenance = true, .intid = 99}));
    rig.arm(40);
    rig.raise(40);
    EXPECT_EQ(rig.lists[0].at(1).intid, 40u);
    EXPECT_EQ(rig.serve(), 99u);
    EXPECT_EQ(rig.take(), 40u);
}

} // namespace
} // namespace sel4vm::test
