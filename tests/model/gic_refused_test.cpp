// SPDX-License-Identifier: BSD-2-Clause
//
// Injections that were refused: who listens hears when the next would be delivered, once, and not of more than fits at a time.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>
#include <vector>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;

class GicRefused : public testing::TestWithParam<GicVersion> {
protected:
    GicRig make(u32 cpus = 1) {
        GicRig rig({GetParam(), cpus, 96, ListRegisters::full()});
        rig.open();
        return rig;
    }
    static void listen(GicRig &rig, u32 intid, u32 cpu = 0) {
        rig.core.irqs().word(cpu, intid / 32).listened |= bit<u32>(intid % 32);
    }
    /// What the client would be told, which empties it.
    static std::vector<u32> told(GicRig &rig) {
        std::vector<u32> intids;
        for (const dev::FinishedIrq &each : rig.core.irqs().finished())
            intids.push_back(each.intid);
        rig.core.irqs().finished().clear();
        return intids;
    }
    using Intids = std::vector<u32>;
};
INSTANTIATE_TEST_SUITE_P(Versions, GicRefused, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &which) { return which.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicRefused, OneIsToldOnceHoweverOftenItWasRefused) {
    for (const u32 intid : {16u, 31u, 32u, 40u, 127u}) {
        GicRig rig = make();
        rig.set_priority(intid, 0x80);
        if (intid >= 32)
            rig.route(intid, 0);
        listen(rig, intid);
        for (int n = 0; n < 3; ++n)
            rig.core.irqs().note_refused(0, intid);
        EXPECT_EQ(told(rig), Intids{});
        rig.write_bit(gicd::kIsenabler, intid);
        EXPECT_EQ(told(rig), Intids{intid});
        EXPECT_FALSE(rig.core.irqs().has_more_refused());
        rig.write_bit(gicd::kIcenabler, intid);
        rig.write_bit(gicd::kIsenabler, intid);
        EXPECT_EQ(told(rig), Intids{}) << intid;
    }
}

TEST_P(GicRefused, OneThatNobodyListensToIsForgotten) {
    GicRig rig = make();
    listen(rig, 41);
    rig.core.irqs().note_refused(0, 40);
    rig.arm(40);
    rig.arm(41);
    EXPECT_EQ(told(rig), Intids{});
}

TEST_P(GicRefused, FourAreToldAtATime) {
    GicRig rig = make();
    const Intids all = {18, 20, 33, 63, 64, 70, 95, 96, 127};
    for (const u32 intid : all) {
        listen(rig, intid);
        rig.set_priority(intid, 0x80);
        rig.core.irqs().note_refused(0, intid);
    }
    rig.write(gicd::kCtlr, 0);
    for (const u32 intid : all)
        rig.arm(intid);
    EXPECT_EQ(told(rig), Intids{}) << "nothing is forwarded";
    rig.write(gicd::kCtlr, 3);
    Intids heard;
    for (const usize expected : {usize{4}, usize{4}, usize{1}}) {
        const Intids now = told(rig);
        EXPECT_EQ(now.size(), expected);
        heard.insert(heard.end(), now.begin(), now.end());
        static_cast<void>(rig.core.irqs().has_more_refused());
    }
    EXPECT_EQ(heard, all);
    EXPECT_EQ(told(rig), Intids{});
}

TEST_P(GicRefused, OneIsToldWhereverItBecomesDeliverable) {
    // By its group, and by the first target it gets.
    GicRig rig = make(2);
    listen(rig, 40);
    rig.core.irqs().note_refused(0, 40);
    rig.write(gicd::kCtlr, 2);
    rig.arm(40, 0x80, 1);
    EXPECT_EQ(told(rig), Intids{}) << "its group is not forwarded";
    rig.write_bits(gicd::kIgroupr, 1, ~u32{0});
    ASSERT_EQ(rig.core.irqs().finished().size(), 1u);
    EXPECT_EQ(rig.core.irqs().finished()[0].cpu, 1u);
    EXPECT_EQ(told(rig), Intids{40});
}

TEST_P(GicRefused, OneOfAVcpusOwnIsToldForThatVcpu) {
    GicRig rig = make(2);
    listen(rig, 20, 1);
    rig.core.irqs().note_refused(1, 20);
    rig.write_bit(gicd::kIsenabler, 20, 0);
    EXPECT_EQ(told(rig), Intids{}) << "the other vCPU's";
    rig.write_bit(gicd::kIsenabler, 20, 1);
    ASSERT_EQ(rig.core.irqs().finished().size(), 1u);
    EXPECT_EQ(rig.core.irqs().finished()[0].cpu, 1u);
}

} // namespace
} // namespace sel4vm::test
