// SPDX-License-Identifier: BSD-2-Clause
//
// What a reset of the whole GIC leaves of routes, priorities, groups and the interest in CPU interfaces: nothing.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;

class GicReset : public testing::TestWithParam<GicVersion> {
protected:
    GicRig make(u32 cpus) {
        GicRig rig({GetParam(), cpus, 96, ListRegisters::full()});
        rig.open();
        return rig;
    }
    static void reset(GicRig &rig) {
        for (u32 n = 0; n < rig.config.cpus; ++n)
            rig.turn_off(n);
        rig.core.reset();
        for (u32 n = 0; n < rig.config.cpus; ++n)
            rig.turn_on(n);
    }
    static void route_to_all(GicRig &rig, u32 intid) {
        if (rig.v2())
            rig.write(gicd::kItargetsr + intid, low_mask<u32>(rig.config.cpus), 0, Width::b1);
        else
            rig.write(gicd::kIrouter + 8 * intid, u64{1} << 31, 0, Width::b8);
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, GicReset, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &which) { return which.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicReset, RoutesAreAsAtPowerOn) {
    for (const bool to_all : {false, true}) {
        GicRig rig = make(2);
        for (const u32 intid : {32u, 33u, 63u, 64u, 127u}) {
            if (to_all)
                route_to_all(rig, intid);
            else
                rig.route(intid, 1);
        }
        reset(rig);
        for (const u32 intid : {32u, 33u, 63u, 64u, 127u}) {
            if (rig.v2())
                EXPECT_EQ(rig.read(gicd::kItargetsr + intid, 0, Width::b1), 0u) << intid;
            else
                EXPECT_EQ(rig.read(gicd::kIrouter + 8 * intid, 0, Width::b8), 0u) << intid;
        }
        rig.open();
        rig.make_edge(33);
        rig.set_priority(33, 0x80);
        rig.write_bit(gicd::kIsenabler, 33);
        rig.pulse(33);
        EXPECT_EQ(rig.serve(0), rig.v2() ? 1023u : 33u); // GICv3: the vCPU with affinity 0
        EXPECT_EQ(rig.serve(1), 1023u);
    }
}

TEST_P(GicReset, SettingsAreAsAtPowerOn) {
    GicRig rig = make(2);
    for (const u32 intid : {16u, 31u, 32u, 95u}) {
        rig.set_priority(intid, 0x40, 1);
        rig.make_edge(intid, 1);
        rig.write_bit(gicd::kIsenabler, intid, 1);
        rig.write_bit(gicd::kIgroupr, intid, 1);
        rig.write_bit(gicd::kIsactiver, intid, 1);
    }
    reset(rig);
    EXPECT_EQ(rig.read(gicd::kCtlr) & 3, 0u);
    for (const u32 intid : {16u, 31u, 32u, 95u}) {
        EXPECT_EQ(rig.priority(intid, 1), 0u) << intid;
        EXPECT_FALSE(rig.bit_of(gicd::kIsenabler, intid, 1)) << intid;
        EXPECT_FALSE(rig.bit_of(gicd::kIgroupr, intid, 1)) << intid;
        EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, intid, 1)) << intid;
    }
    rig.open();
    rig.arm(32, 0x80);
    rig.pulse(32);
    EXPECT_EQ(rig.take(0), 1023u) << "level-triggered again: a pulse leaves nothing";
}

TEST_P(GicReset, SgisThatWaitedAreForgotten) {
    GicRig rig = make(2);
    rig.send_sgi(0, 1, 3); // not enabled
    reset(rig);
    rig.open();
    rig.arm(3, 0x80, 1);
    EXPECT_EQ(rig.take(1), 1023u);
    rig.send_sgi(1, 1, 3);
    const auto taken = rig.acknowledge(1);
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->intid, 3u);
    EXPECT_EQ(taken->source, rig.v2() ? 1u : 0u) << "the sender is the new one";
    rig.end(3, 1, taken->source);
    EXPECT_EQ(rig.take(1), 1023u);
}

TEST_P(GicReset, NobodyIsWatchedAnyMore) {
    GicRig rig = make(2);
    route_to_all(rig, 40);
    EXPECT_NE(rig.lists[0].maintenance_causes(), 0u);
    reset(rig);
    EXPECT_FALSE(rig.core.irqs().has_choices());
    rig.open();
    rig.sync(0);
    rig.sync(1);
    EXPECT_EQ(rig.lists[0].maintenance_causes(), 0u);
    EXPECT_EQ(rig.lists[1].maintenance_causes(), 0u);
    route_to_all(rig, 41);
    EXPECT_NE(rig.lists[0].maintenance_causes(), 0u) << "until something may go to several again";
    EXPECT_NE(rig.lists[1].maintenance_causes(), 0u);
}

TEST_P(GicReset, WhatCannotBeTakenOutOfAListRegisterIsNoLongerTheDistributors) {
    auto abilities = ListRegisters::full();
    abilities.clear = false;
    abilities.hardware_link = false;
    abilities.optional_eoi = false;
    abilities.unlisted_ends = false;
    abilities.deactivation_trap = false;
    GicRig rig({GetParam(), 1, 96, abilities});
    rig.open();
    rig.make_edge(40);
    rig.arm(40);
    rig.pulse(40);
    reset(rig);
    EXPECT_EQ(rig.take(), 40u) << "left over from before";
    EXPECT_FALSE(rig.bit_of(gicd::kIsactiver, 40)) << "the guest that begins anew knows nothing of it";
    EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 40));
    rig.end(40);
    EXPECT_EQ(rig.take(), 1023u);
    rig.open();
    rig.make_edge(40);
    rig.arm(40);
    rig.pulse(40);
    EXPECT_EQ(rig.serve(), 40u);
    EXPECT_EQ(rig.violation(), nullptr);
}

} // namespace
} // namespace sel4vm::test
