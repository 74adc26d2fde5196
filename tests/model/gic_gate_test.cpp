// SPDX-License-Identifier: BSD-2-Clause
//
// Whether a wait ends: what the guest's CPU interface lets through of what is in list registers and of what waits for one.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;

constexpr u32 kGroup0Only = 0xf800'0001;
constexpr u32 kGroup1Only = 0xf800'0002;

class GicGate : public testing::TestWithParam<GicVersion> {
protected:
    /// One list register, which an urgent interrupt has that cannot be taken while its group is off.
    GicRig make(u32 blocked_group1) {
        GicRig rig({GetParam(), 1, 96, ListRegisters::full(1)});
        rig.open();
        group1_ = blocked_group1 != 0 ? bit<u32>(kBlocker % 32) : 0;
        rig.write_bits(gicd::kIgroupr, kBlocker / 32, group1_);
        rig.arm(kBlocker, 0x10);
        rig.raise(kBlocker);
        rig.lists[0].set_control(blocked_group1 != 0 ? kGroup0Only : kGroup1Only);
        EXPECT_FALSE(rig.deliverable());
        return rig;
    }
    /// A less urgent one, which has to wait for the list register.
    void add(GicRig &rig, u32 intid, bool group1) const {
        const u32 others = intid / 32 == kBlocker / 32 ? group1_ : 0;
        rig.write_bits(gicd::kIgroupr, intid / 32, others | (group1 ? bit<u32>(intid % 32) : 0));
        rig.arm(intid, 0x80);
        rig.raise(intid);
        ASSERT_EQ(rig.lists[0].at(0).intid, kBlocker);
    }
    static constexpr u32 kBlocker = 90;
    u32 group1_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Versions, GicGate, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &which) { return which.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicGate, WhatWaitsForAListRegisterEndsAWaitWhenItsOwnGroupIsEnabled) {
    for (const u32 intid : {16u, 17u, 31u, 32u, 33u, 63u, 64u, 65u})
        for (const bool enabled_group1 : {false, true}) {
            GicRig rig = make(!enabled_group1);
            add(rig, intid, enabled_group1);
            EXPECT_TRUE(rig.deliverable()) << intid << ' ' << enabled_group1;
        }
}

TEST_P(GicGate, WhatWaitsForAListRegisterEndsNoWaitWhileItsGroupIsDisabled) {
    for (const u32 intid : {16u, 17u, 31u, 32u, 33u, 63u, 64u, 65u})
        for (const bool enabled_group1 : {false, true}) {
            GicRig rig = make(!enabled_group1);
            add(rig, intid, !enabled_group1);
            EXPECT_FALSE(rig.deliverable()) << intid << ' ' << enabled_group1;
        }
}

TEST_P(GicGate, WhatWaitsForAListRegisterMustPassThePriorityMask) {
    GicRig rig = make(0);
    add(rig, 32, true);
    for (const u32 mask : {0x78u, 0x80u}) { // only values below the mask are signalled
        rig.lists[0].set_control(mask << 24 | 3);
        rig.lower(kBlocker);
        rig.raise(kBlocker);
        rig.write_bit(gicd::kIcenabler, kBlocker);
        EXPECT_FALSE(rig.deliverable()) << mask;
    }
    rig.lists[0].set_control(0x8800'0003);
    EXPECT_TRUE(rig.deliverable());
}

TEST_P(GicGate, WhileAnInterruptHasAChoiceTheHostReportsTheNextChangeOfAGroup) {
    namespace cause = aarch64::maintenance;
    GicRig rig({GetParam(), 2, 96, ListRegisters::full()});
    rig.open();
    if (rig.v2())
        rig.write(gicd::kItargetsr + 40, 3, 0, Width::b1);
    else
        rig.write(gicd::kIrouter + 8 * 40, u64{1} << 31, 0, Width::b8);
    struct Row {
        u32 control;
        u32 causes;
    };
    for (const Row &row :
         {Row{ListRegisters::kOpen, cause::kGroup0Disabled | cause::kGroup1Disabled},
          Row{kGroup1Only, cause::kGroup0Enabled | cause::kGroup1Disabled}, Row{kGroup0Only, cause::kGroup1Enabled},
          Row{0xf800'0000, cause::kGroup0Enabled | cause::kGroup1Enabled}}) {
        rig.set_control(0, row.control);
        rig.sync();
        EXPECT_EQ(rig.lists[0].maintenance_causes(), row.causes) << std::hex << row.control;
    }
}

TEST_P(GicGate, NothingAtAllEndsNoWait) {
    GicRig rig({GetParam(), 1, 96, ListRegisters::full(1)});
    rig.open();
    EXPECT_FALSE(rig.deliverable());
    rig.raise(40); // not enabled
    EXPECT_FALSE(rig.deliverable());
}

/// Interrupts of each kind, at both ends of their words.
constexpr u32 kOfEachKind[] = {0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 95};

void set_group(GicRig &rig, u32 intid, bool group1) {
    rig.write_bits(gicd::kIgroupr, intid / 32, group1 ? bit<u32>(intid % 32) : ~bit<u32>(intid % 32));
}

TEST_P(GicGate, AnInterruptIsListedInItsGroupAndFollowsItWhilePending) {
    for (const u32 intid : kOfEachKind)
        for (const bool group1 : {false, true}) {
            GicRig rig({GetParam(), 1, 64, ListRegisters::full()});
            rig.open();
            set_group(rig, intid, group1);
            rig.arm(intid, 0x80);
            if (intid < 16)
                rig.send_sgi(0, 0, intid);
            else
                rig.raise(intid);
            for (const bool now : {group1, !group1, group1}) {
                set_group(rig, intid, now);
                EXPECT_EQ(rig.lists[0].in_use(), 1u);
                EXPECT_EQ(rig.lists[0].at(0).group1, now) << intid;
            }
            EXPECT_EQ(rig.take(), intid);
            set_group(rig, intid, !group1);
            rig.sync();
            EXPECT_EQ(rig.lists[0].at(0).group1, group1) << "it ends in the group in which it was acknowledged";
            rig.lower(intid < 16 ? 16 : intid);
            rig.end(intid);
            EXPECT_EQ(rig.violation(), nullptr);
        }
}

TEST_P(GicGate, AnInterruptThatSoftwareMakesActiveIsSoInItsGroup) {
    for (const u32 intid : kOfEachKind)
        for (const bool group1 : {false, true}) {
            GicRig rig({GetParam(), 1, 64, ListRegisters::full()});
            rig.open();
            rig.set_priority(intid, 0x48);
            set_group(rig, intid, group1);
            rig.write_bit(gicd::kIsactiver, intid);
            rig.sync();
            EXPECT_EQ(rig.lists[0].at(0).intid, intid);
            EXPECT_EQ(rig.lists[0].at(0).state, aarch64::ListRegisterState::active) << intid;
            EXPECT_EQ(rig.lists[0].at(0).group1, group1) << intid;
            EXPECT_EQ(rig.lists[0].at(0).priority, 0x48) << intid;
        }
}

} // namespace
} // namespace sel4vm::test
