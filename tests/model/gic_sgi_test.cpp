// SPDX-License-Identifier: BSD-2-Clause
//
// Software-generated interrupts between vCPUs.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using dev::SgiRegister;
using fake::ListRegisters;

struct SgiRig : GicRig {
    explicit SgiRig(GicVersion version, u32 cpus, const ListRegisters::Abilities &abilities = ListRegisters::full())
        : GicRig({version, cpus, 32, abilities}) {
        open();
        for (u32 cpu = 0; cpu < cpus; ++cpu)
            write_bits(gicd::kIsenabler, 0, 0xffff, cpu);
    }
    /// Which vCPUs have this SGI pending, as a mask; takes and ends them.
    u32 receivers(u32 sgi) {
        u32 mask = 0;
        for (u32 cpu = 0; cpu < config.cpus; ++cpu) {
            if (serve(cpu) == sgi)
                mask |= 1u << cpu;
        }
        return mask;
    }
};

TEST(GicV2Sgi, TheTargetFilterChoosesListOthersOrSelf) {
    SgiRig rig(GicVersion::v2, 4);
    rig.sgi_v2(0u << 24 | 0x0au << 16 | 3, 0);
    EXPECT_EQ(rig.receivers(3), 0b1010u);
    rig.sgi_v2(1u << 24 | 0xffu << 16 | 3, 2);
    EXPECT_EQ(rig.receivers(3), 0b1011u);
    rig.sgi_v2(2u << 24 | 3, 1);
    EXPECT_EQ(rig.receivers(3), 0b0010u);
    rig.sgi_v2(3u << 24 | 0xffu << 16 | 3, 1);
    EXPECT_EQ(rig.receivers(3), 0u) << "reserved";
    rig.sgi_v2(0xf0u << 16 | 3, 1);
    EXPECT_EQ(rig.receivers(3), 0u) << "nobody there";
}

TEST(GicV2Sgi, AnSgiThatWaitsIsPendingUntilItsLastSenderIsTakenBack) {
    for (const u32 last : {0u, 1u, 3u}) {
        SgiRig rig(GicVersion::v2, 4);
        rig.write_bits(gicd::kIcenabler, 0, 1u << 7); // it stays in the distributor
        rig.sgi_v2(1u << 16 | 7, last);
        rig.sgi_v2(1u << 16 | 7, 2);
        rig.write(gicd::kCpendsgir + 7, 1u << 2, 0, Width::b1);
        EXPECT_TRUE(rig.bit_of(gicd::kIspendr, 7)) << last;
        rig.write(gicd::kCpendsgir + 7, 1u << last, 0, Width::b1);
        EXPECT_FALSE(rig.bit_of(gicd::kIspendr, 7)) << last;
        rig.write_bits(gicd::kIsenabler, 0, 1u << 7);
        EXPECT_EQ(rig.take(), 1023u);
    }
}

TEST(GicV2Sgi, EachSenderCountsAndIsNamed) {
    SgiRig rig(GicVersion::v2, 4);
    for (const u32 from : {3u, 1u, 2u, 1u})
        rig.sgi_v2(1u << 16 | 7, from);
    u32 senders = 0;
    for (int n = 0; n < 3; ++n) {
        const auto taken = rig.acknowledge(0);
        ASSERT_TRUE(taken.has_value());
        EXPECT_EQ(taken->intid, 7u);
        senders |= 1u << taken->source;
        rig.end(7, 0, taken->source);
    }
    EXPECT_EQ(senders, 0b1110u);
    EXPECT_EQ(rig.serve(0), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST(GicV2Sgi, OfAnotherSenderWhileActiveComesAfterTheEnd) {
    SgiRig rig(GicVersion::v2, 3);
    rig.sgi_v2(1u << 16 | 7, 1);
    const auto first = rig.acknowledge(0);
    EXPECT_EQ(first->source, 1u);
    rig.sgi_v2(1u << 16 | 7, 2);
    rig.sgi_v2(1u << 16 | 7, 1);
    EXPECT_EQ(rig.read(gicd::kSpendsgir + 4), 0x0600'0000u);
    rig.end(7, 0, 1);
    const auto second = rig.acknowledge(0);
    ASSERT_TRUE(second.has_value());
    rig.end(7, 0, second->source);
    const auto third = rig.acknowledge(0);
    ASSERT_TRUE(third.has_value());
    EXPECT_EQ(second->source + third->source, 3u);
    rig.end(7, 0, third->source);
    EXPECT_EQ(rig.serve(0), 1023u);
}

TEST(GicV2Sgi, OfEverySenderArrivesOnAHostThatCannotNameThem) {
    SgiRig rig(GicVersion::v2, 4, ListRegisters::injection_only());
    for (const u32 from : {1u, 2u, 3u})
        rig.sgi_v2(1u << 16 | 7, from);
    for (int n = 0; n < 3; ++n)
        EXPECT_EQ(rig.serve(0), 7u);
    EXPECT_EQ(rig.serve(0), 1023u);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST(GicV2Sgi, ClearingOneSenderWithdrawsOnlyThat) {
    SgiRig rig(GicVersion::v2, 3);
    rig.sgi_v2(1u << 16 | 7, 1);
    rig.sgi_v2(1u << 16 | 7, 2);
    rig.write(gicd::kCpendsgir + 7, 0x02, 0, Width::b1);
    const auto taken = rig.acknowledge(0);
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->source, 2u);
    rig.end(7, 0, 2);
    EXPECT_EQ(rig.serve(0), 1023u);
}

TEST(GicV3Sgi, ReachesTheListedMembersOfACluster) {
    SgiRig rig(GicVersion::v3, 20);
    rig.sgi_v3(u64{9} << 24 | 0x8005, 0);
    EXPECT_EQ(rig.receivers(9), 1u | 4u | 1u << 15);
    rig.sgi_v3(u64{9} << 24 | u64{1} << 16 | 0x8005, 0);
    EXPECT_EQ(rig.receivers(9), 1u << 16 | 1u << 18);
    rig.sgi_v3(u64{9} << 24 | u64{1} << 32 | 0xffff, 0);
    EXPECT_EQ(rig.receivers(9), 0u) << "no such Aff2";
    rig.sgi_v3(u64{9} << 24 | u64{1} << 48 | 0xffff, 0);
    EXPECT_EQ(rig.receivers(9), 0u) << "no such Aff3";
    rig.sgi_v3(u64{9} << 24 | u64{1} << 44 | 0xffff, 0);
    EXPECT_EQ(rig.receivers(9), 0u) << "Aff0 16 to 31";
}

TEST(GicV3Sgi, RoutingModeOneReachesEverybodyElse) {
    SgiRig rig(GicVersion::v3, 5);
    rig.sgi_v3(u64{1} << 40 | u64{9} << 24, 3);
    EXPECT_EQ(rig.receivers(9), 0b10111u);
}

TEST(GicV3Sgi, OnlyTheGroup1RegisterRaisesGroup1Sgis) {
    SgiRig rig(GicVersion::v3, 1);
    rig.write_bits(gicd::kIgroupr, 0, 1u << 9);
    for (const SgiRegister which : {SgiRegister::sgi0, SgiRegister::asgi1}) {
        rig.sgi_v3(u64{9} << 24 | 1, 0, which);
        EXPECT_EQ(rig.serve(), 1023u);
        rig.sgi_v3(u64{8} << 24 | 1, 0, which);
        EXPECT_EQ(rig.serve(), 8u);
    }
    rig.sgi_v3(u64{9} << 24 | 1, 0, SgiRegister::sgi1);
    EXPECT_EQ(rig.serve(), 9u);
    rig.sgi_v3(u64{8} << 24 | 1, 0, SgiRegister::sgi1);
    EXPECT_EQ(rig.serve(), 8u);
}

TEST(GicV3Sgi, CanBeSetAndClearedThroughTheRedistributor) {
    SgiRig rig(GicVersion::v3, 2);
    rig.write_redistributor(1, gicr::kIspendr0, 1u << 4, 0);
    EXPECT_EQ(rig.read_redistributor(1, gicr::kIspendr0, 0), 1u << 4);
    EXPECT_EQ(rig.serve(1), 4u);
    rig.write_redistributor(1, gicr::kIspendr0, 1u << 4, 0);
    rig.write_redistributor(1, gicr::kIcpendr0, 1u << 4, 0);
    EXPECT_EQ(rig.serve(1), 1023u);
}

} // namespace
} // namespace sel4vm::test
