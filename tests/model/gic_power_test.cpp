// SPDX-License-Identifier: BSD-2-Clause
//
// vCPUs that turn themselves off and come back: nothing is lost with them, and what could go to several vCPUs goes to one that
// can take it.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;

struct Kind {
    GicVersion version;
    bool full;
};

std::string name_of(const testing::TestParamInfo<Kind> &info) {
    return std::string(info.param.version == GicVersion::v2 ? "v2" : "v3") +
           (info.param.full ? "Full" : "InjectionOnly");
}

class GicPower : public testing::TestWithParam<Kind> {
protected:
    GicRig make(u32 cpus = 2) {
        GicRig rig(
            {GetParam().version, cpus, 64, GetParam().full ? ListRegisters::full() : ListRegisters::injection_only()});
        rig.open();
        return rig;
    }
    [[nodiscard]] bool full() const { return GetParam().full; }
};

constexpr Kind kFull[] = {{GicVersion::v2, true}, {GicVersion::v3, true}};
constexpr Kind kV3[] = {{GicVersion::v3, true}, {GicVersion::v3, false}};
constexpr Kind kAll[] = {
    {GicVersion::v2, true}, {GicVersion::v3, true}, {GicVersion::v2, false}, {GicVersion::v3, false}};

INSTANTIATE_TEST_SUITE_P(Kinds, GicPower, testing::ValuesIn(kAll), name_of);

void arm_edge(GicRig &rig, u32 intid, u32 cpu) {
    rig.make_edge(intid, cpu);
    rig.arm(intid, 0x80, cpu);
}

/// Any of the vCPUs may take it.
void route_to_all(GicRig &rig, u32 intid) {
    if (rig.v2())
        rig.write(gicd::kItargetsr + intid, low_mask<u32>(rig.config.cpus), 0, Width::b1);
    else
        rig.write(gicd::kIrouter + 8 * intid, u64{1} << 31, 0, Width::b8);
}

TEST_P(GicPower, WhatWasPendingInAVcpuThatWentOffComesWhereItIsRouted) {
    GicRig rig = make();
    arm_edge(rig, 40, 1);
    rig.pulse(40);
    ASSERT_EQ(rig.lists[1].in_use(), 1u);
    rig.turn_off(1);
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 40));
    EXPECT_EQ(rig.take(0), 1023u) << "it is still the other one's";
    rig.route(40, 0);
    EXPECT_EQ(rig.serve(0), 40u);
    EXPECT_EQ(rig.serve(0), 1023u) << "once";
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPower, ALevelIsDeliveredToAnotherAsLongAsItsWireIsHigh) {
    GicRig rig = make();
    rig.arm(40, 0x80, 1);
    rig.raise(40);
    rig.turn_off(1);
    rig.route(40, 0);
    EXPECT_EQ(rig.take(0), 40u);
    rig.lower(40);
    rig.end(40);
    EXPECT_EQ(rig.take(0), 1023u);
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 40));
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPower, WhatIsNotRoutedElsewhereWaitsUntilItsVcpuIsBack) {
    GicRig rig = make();
    arm_edge(rig, 40, 1);
    rig.turn_off(1);
    rig.pulse(40);
    EXPECT_EQ(rig.lists[1].in_use(), 0u);
    rig.turn_on(1);
    EXPECT_EQ(rig.serve(1), 40u);
    EXPECT_EQ(rig.serve(1), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPower, PrivateSettingsStayAndWhatIsPendingComesLater) {
    GicRig rig = make();
    rig.arm(20, 0x60, 1);
    rig.arm(3, 0x80, 1);
    rig.turn_off(1);
    rig.send_sgi(0, 1, 3);
    EXPECT_TRUE(rig.bit_of(gicd::kIsenabler, 20, 1));
    EXPECT_EQ(rig.priority(20, 1), 0x60u);
    rig.turn_on(1);
    EXPECT_EQ(rig.serve(1), 3u);
    rig.raise(20, 1);
    EXPECT_EQ(rig.serve(1), 20u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPower, WhatMayGoToSeveralGoesToOneThatIsOn) {
    GicRig rig = make(3);
    arm_edge(rig, 40, 0);
    route_to_all(rig, 40);
    rig.pulse(40);
    EXPECT_EQ(rig.serve(0), 40u) << "the first of them";
    rig.pulse(40);
    rig.turn_off(0);
    EXPECT_EQ(rig.serve(1), 40u) << "what the first had";
    rig.turn_off(1);
    rig.pulse(40);
    EXPECT_EQ(rig.serve(2), 40u);
    rig.turn_off(2);
    rig.pulse(40);
    rig.turn_on(1);
    if (full()) {
        EXPECT_EQ(rig.serve(1), 40u) << "nobody was on when it came";
    }
    EXPECT_EQ(rig.violation(), nullptr);
}

// GICv2 has no redistributors.
using GicPowerV3 = GicPower;
INSTANTIATE_TEST_SUITE_P(Kinds, GicPowerV3, testing::ValuesIn(kV3), name_of);

TEST_P(GicPowerV3, ARedistributorThatSleepsIsNotAsked) {
    GicRig rig = make();
    arm_edge(rig, 40, 0);
    route_to_all(rig, 40);
    rig.write_redistributor(0, gicr::kWaker, 2);
    rig.pulse(40);
    EXPECT_EQ(rig.serve(1), 40u);
    rig.write_redistributor(0, gicr::kWaker, 0);
    rig.pulse(40);
    EXPECT_EQ(rig.serve(0), 40u);
}

using GicPowerFull = GicPower;
INSTANTIATE_TEST_SUITE_P(Kinds, GicPowerFull, testing::ValuesIn(kFull), name_of);

TEST_P(GicPowerFull, WhatWasActiveInAVcpuThatWentOffCanBeEndedByAnother) {
    GicRig rig = make();
    arm_edge(rig, 40, 1);
    rig.pulse(40);
    ASSERT_EQ(rig.take(1), 40u);
    rig.pulse(40); // pending and active
    rig.turn_off(1);
    EXPECT_TRUE(rig.bit_of(gicd::kIsactiver, 40));
    EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 40));
    rig.route(40, 0);
    EXPECT_EQ(rig.take(0), 1023u) << "it is active";
    rig.write_bit(gicd::kIcactiver, 40);
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 40));
    EXPECT_EQ(rig.serve(0), 40u);
    EXPECT_EQ(rig.serve(0), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPowerFull, ACrashKernelThatSetsTheDistributorUpAgainGetsItsInterrupts) {
    GicRig rig = make();
    rig.arm(40, 0x80, 1);
    rig.raise(40); // the disk's
    ASSERT_EQ(rig.take(1), 40u);
    arm_edge(rig, 41, 1);
    rig.pulse(41);
    rig.turn_off(1);
    rig.write(gicd::kCtlr, 0);
    for (const u32 family : {gicd::kIcenabler, gicd::kIcactiver, gicd::kIcpendr})
        rig.write_bits(family, 1, ~u32{0});
    rig.arm(40);
    rig.arm(41);
    rig.write(gicd::kCtlr, 3);
    EXPECT_EQ(rig.take(0), 40u);
    rig.lower(40);
    rig.end(40);
    EXPECT_EQ(rig.serve(0), 1023u) << "what was pending was cleared";
    rig.pulse(41);
    EXPECT_EQ(rig.serve(0), 41u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPowerFull, AClearOfTheActiveStateThatWasUnderWayIsNotForgotten) {
    GicRig rig = make();
    arm_edge(rig, 40, 1);
    rig.pulse(40);
    ASSERT_EQ(rig.take(1), 40u);
    rig.automatic = false; // the other one has not seen it yet
    rig.write_bit(gicd::kIcactiver, 40);
    rig.core.turned_off(1);
    rig.automatic = true;
    rig.settle();
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 40));
    rig.route(40, 0);
    rig.pulse(40);
    EXPECT_EQ(rig.serve(0), 40u);
}

TEST_P(GicPowerFull, AVcpuThatComesBackCanEndWhatItLeftActive) {
    GicRig rig = make();
    arm_edge(rig, 40, 1);
    rig.pulse(40);
    ASSERT_EQ(rig.take(1), 40u);
    rig.turn_off(1);
    rig.turn_on(1);
    rig.pulse(40);
    EXPECT_EQ(rig.take(1), 1023u);
    rig.end(40, 1);
    EXPECT_EQ(rig.serve(1), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPowerFull, AnSgiThatWaitsForAVcpuDoesNotHideWhatItLeftActive) {
    GicRig rig = make();
    arm_edge(rig, 40, 1);
    rig.arm(5, 0x40, 1);
    rig.pulse(40);
    ASSERT_EQ(rig.take(1), 40u);
    rig.turn_off(1);
    rig.send_sgi(0, 1, 5);
    rig.turn_on(1);
    EXPECT_EQ(rig.lists[1].in_use(), 2u) << "the SGI, and what it can end";
    rig.end(40, 1);
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 40));
    EXPECT_EQ(rig.serve(1), 5u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPowerFull, WhatMayGoToSeveralGoesToOneWhoseInterfaceIsOpen) {
    GicRig rig = make();
    arm_edge(rig, 40, 0);
    route_to_all(rig, 40);
    rig.pulse(40);
    ASSERT_EQ(rig.lists[0].in_use(), 1u);
    rig.set_control(0, 0);
    EXPECT_EQ(rig.serve(1), 40u) << "the first closed its interface with it inside";
    rig.pulse(40);
    EXPECT_EQ(rig.serve(1), 40u);
    rig.set_control(1, 0);
    rig.pulse(40);
    rig.set_control(0, ListRegisters::kOpen);
    EXPECT_EQ(rig.serve(0), 40u) << "nobody was open when it came";
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPowerFull, OneWhosePriorityMaskIsTooLowIsNotAsked) {
    GicRig rig = make();
    arm_edge(rig, 40, 0);
    route_to_all(rig, 40);
    rig.set_control(0, 0x8000'0003);
    rig.pulse(40); // priority 0x80
    EXPECT_EQ(rig.serve(1), 40u);
    rig.set_priority(40, 0x78);
    rig.pulse(40);
    EXPECT_EQ(rig.serve(0), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPowerFull, OneThatHasTheGroupDisabledIsNotAsked) {
    GicRig rig = make();
    arm_edge(rig, 40, 0);
    route_to_all(rig, 40);
    rig.set_control(0, 0xf800'0001);
    rig.pulse(40);
    EXPECT_EQ(rig.serve(0), 40u);
    rig.write_bits(gicd::kIgroupr, 1, ~u32{0});
    rig.pulse(40);
    EXPECT_EQ(rig.serve(1), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPowerFull, NobodyIsWatchedUnlessSomethingMayGoToSeveral) {
    GicRig rig = make();
    arm_edge(rig, 40, 0);
    EXPECT_EQ(rig.lists[0].maintenance_causes(), 0u);
    route_to_all(rig, 40);
    EXPECT_NE(rig.lists[0].maintenance_causes(), 0u);
    EXPECT_NE(rig.lists[1].maintenance_causes(), 0u);
    rig.route(40, 0);
    rig.sync(0);
    rig.sync(1);
    EXPECT_EQ(rig.lists[0].maintenance_causes(), 0u);
    EXPECT_EQ(rig.lists[1].maintenance_causes(), 0u);
}

/// Hosts whose list registers cannot be cleared.
class GicPowerInjecting : public testing::TestWithParam<GicVersion> {};

INSTANTIATE_TEST_SUITE_P(Versions, GicPowerInjecting, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &which) { return which.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicPowerInjecting, WhatCannotBeTakenOutIsGivenToOthersButNeverTwiceToOne) {
    GicRig rig({GetParam(), 2, 64, ListRegisters::injection_only()});
    rig.open();
    arm_edge(rig, 40, 1);
    rig.pulse(40);
    rig.turn_off(1);
    rig.route(40, 0);
    EXPECT_EQ(rig.take(0), 40u);
    rig.turn_on(1);
    EXPECT_EQ(rig.serve(1), 40u) << "left over from before";
    EXPECT_EQ(rig.serve(1), 1023u);
    rig.pulse(40);
    rig.end(40, 0);
    EXPECT_EQ(rig.serve(0), 40u) << "the end of the one left over was not taken for the end of this one";
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicPowerInjecting, TheNextOneWaitsForTheEndOfWhatIsLeftOver) {
    GicRig rig({GetParam(), 2, 64, ListRegisters::injection_only()});
    rig.open();
    arm_edge(rig, 40, 1);
    rig.pulse(40);
    rig.turn_off(1);
    rig.route(40, 0);
    EXPECT_EQ(rig.serve(0), 40u);
    rig.turn_on(1);
    rig.route(40, 1);
    rig.pulse(40);
    EXPECT_EQ(rig.take(1), 40u);
    EXPECT_EQ(rig.take(1), 1023u);
    rig.end(40, 1);
    EXPECT_EQ(rig.serve(1), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

} // namespace
} // namespace sel4vm::test
