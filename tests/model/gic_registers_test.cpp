// SPDX-License-Identifier: BSD-2-Clause
//
// The GIC's registers: what each family holds, which accesses it takes, what it reads when it reads nothing.
#include <sel4vm/dev/arm/gic/gic_config.hpp>
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;

GicRig make(GicVersion version, u32 cpus = 1, u32 spis = 64) {
    return GicRig({version, cpus, spis, ListRegisters::full()});
}

TEST(GicV2Registers, TypeTellsTheCpusAndLinesOfThisVm) {
    EXPECT_EQ(make(GicVersion::v2, 1, 32).read(gicd::kTyper), 0x001u);
    EXPECT_EQ(make(GicVersion::v2, 8, 988).read(gicd::kTyper), 0x0ffu);
    EXPECT_EQ(make(GicVersion::v2, 3, 33).read(gicd::kTyper), 0x042u);
    EXPECT_EQ(make(GicVersion::v2, 2, 0).read(gicd::kTyper), 0x020u);
}

TEST(GicV2Registers, ControlKeepsTheTwoGroupEnables) {
    GicRig rig = make(GicVersion::v2);
    EXPECT_EQ(rig.read(gicd::kCtlr), 0u);
    rig.write(gicd::kCtlr, ~u64{0} & 0xffff'ffff);
    EXPECT_EQ(rig.read(gicd::kCtlr), 3u);
}

TEST(GicV2Registers, IdentifiesItself) {
    GicRig rig = make(GicVersion::v2);
    EXPECT_EQ(rig.read(gicd::kPidr2V2) >> 4 & 0xf, 2u);
    EXPECT_EQ(rig.read(gicd::kIidr) & 0xfff, 0x43bu);
    EXPECT_EQ(rig.read(0xff0), 0x0du);
    EXPECT_EQ(rig.read(0xffc), 0xb1u);
}

TEST(GicV2Registers, PrivateTargetsReadAsTheReadersOwnMask) {
    GicRig rig = make(GicVersion::v2, 3);
    for (u32 cpu = 0; cpu < 3; ++cpu) {
        for (u32 n = 0; n < 8; ++n)
            EXPECT_EQ(rig.read(gicd::kItargetsr + 4 * n, cpu), (u64{1} << cpu) * 0x0101'0101);
    }
    rig.write(gicd::kItargetsr, 0x0707'0707, 1);
    EXPECT_EQ(rig.read(gicd::kItargetsr, 1), 0x0202'0202u);
}

TEST(GicV2Registers, TargetsTakeBytesAndKeepOnlyCpusThatExist) {
    GicRig rig = make(GicVersion::v2, 3);
    rig.write(gicd::kItargetsr + 40, 0xff, 0, Width::b1);
    EXPECT_EQ(rig.read(gicd::kItargetsr + 40), 0x07u);
    rig.write(gicd::kItargetsr + 41, 0x02, 0, Width::b1);
    EXPECT_EQ(rig.read(gicd::kItargetsr + 40), 0x0207u);
    EXPECT_EQ(rig.read(gicd::kItargetsr + 41, 0, Width::b1), 0x02u);
}

TEST(GicV2Registers, EachByteOfTheTargetsIsOneInterrupts) {
    GicRig rig = make(GicVersion::v2, 8, 64);
    const auto target_of = [](u32 intid) { return u64{(intid * 37 + 11) & 0xff}; };
    for (u32 intid = 32; intid < 96; ++intid)
        rig.write(gicd::kItargetsr + intid, target_of(intid), 0, Width::b1);
    for (u32 intid = 32; intid < 96; intid += 4) {
        u64 word = 0;
        for (u32 n = 0; n < 4; ++n)
            word |= target_of(intid + n) << (8 * n);
        EXPECT_EQ(rig.read(gicd::kItargetsr + intid), word) << intid;
    }
    EXPECT_EQ(rig.read(gicd::kItargetsr + 96), 0u);
}

TEST(GicV2Registers, InterruptsThatDoNotExistHaveNoTargets) {
    GicRig rig = make(GicVersion::v2, 2, 33); // 64 is the last one
    for (u32 intid = 64; intid < 96; ++intid)
        rig.write(gicd::kItargetsr + intid, 3, 0, Width::b1);
    EXPECT_EQ(rig.read(gicd::kItargetsr + 64), 3u);
    for (u32 intid = 68; intid < 96; intid += 4)
        EXPECT_EQ(rig.read(gicd::kItargetsr + intid), 0u) << intid;
    rig.write(gicd::kItargetsr + 64, 1, 0, Width::b1);
    EXPECT_FALSE(rig.core.irqs().has_choices());
}

TEST(GicV2Registers, WithOneVcpuEverySharedInterruptGoesThere) {
    GicRig rig = make(GicVersion::v2);
    for (const u32 index : {0u, 7u, 8u, 20u}) {
        rig.write(gicd::kItargetsr + 4 * index, 0x0101'0101);
        EXPECT_EQ(rig.read(gicd::kItargetsr + 4 * index), 0u) << index;
    }
    rig.write(gicd::kCtlr, 1);
    rig.write_bit(gicd::kIsenabler, 32);
    rig.raise(32);
    EXPECT_EQ(rig.take(), 32u);
}

TEST(GicV2Registers, InterruptsBeyondTheConfiguredOnesDoNotExist) {
    GicRig rig = make(GicVersion::v2, 1, 33);
    rig.write(gicd::kIsenabler + 8, ~u32{0});
    EXPECT_EQ(rig.read(gicd::kIsenabler + 8), 1u);
    rig.write(gicd::kIsenabler + 12, ~u32{0});
    EXPECT_EQ(rig.read(gicd::kIsenabler + 12), 0u);
    rig.write(gicd::kIpriorityr + 64, 0xf8f8'f8f8);
    EXPECT_EQ(rig.read(gicd::kIpriorityr + 64), 0xf8u);
    GicRig full = make(GicVersion::v2, 1, 988);
    full.write(gicd::kIsenabler + 4 * 31, ~u32{0});
    EXPECT_EQ(full.read(gicd::kIsenabler + 4 * 31), 0x0fff'ffffu) << "1020 to 1023 are special";
}

TEST(GicV2Registers, SgiPendingRegistersTellTheSenders) {
    GicRig rig = make(GicVersion::v2, 3);
    rig.sgi_v2(1u << 17 | 5, 0);
    rig.sgi_v2(1u << 17 | 5, 2);
    EXPECT_EQ(rig.read(gicd::kSpendsgir + 4, 1), 0x0500u);
    EXPECT_EQ(rig.read(gicd::kCpendsgir + 5, 1, Width::b1), 0x05u);
    EXPECT_EQ(rig.read(gicd::kSpendsgir + 4, 0), 0u) << "banked";
    rig.write(gicd::kCpendsgir + 5, 0x01, 1, Width::b1);
    EXPECT_EQ(rig.read(gicd::kSpendsgir + 4, 1), 0x0400u);
    rig.write(gicd::kSpendsgir + 5, 0x02, 1, Width::b1);
    EXPECT_EQ(rig.read(gicd::kSpendsgir + 4, 1), 0x0600u);
    EXPECT_EQ(rig.read(gicd::kIspendr, 1), 1u << 5);
    rig.write(gicd::kIcpendr, 1u << 5, 1);
    EXPECT_EQ(rig.read(gicd::kIspendr, 1), 1u << 5) << "ICPENDR does not reach SGIs on GICv2";
}

TEST(GicV2Registers, RefusesMisalignedAccessesAndReadsReservedOffsetsAsZero) {
    GicRig rig = make(GicVersion::v2);
    EXPECT_EQ(rig.v2_frame.write(0, gicd::kCtlr + 2, Width::b4, 0).error(), BusFault::alignment);
    EXPECT_EQ(rig.v2_frame.read(0, gicd::kIpriorityr + 1, Width::b2).error(), BusFault::alignment);
    EXPECT_EQ(rig.v2_frame.read(0, gicd::kIsenabler + 4, Width::b8).error(), BusFault::alignment);
    for (const Width width : {Width::b1, Width::b2, Width::b4, Width::b8}) {
        EXPECT_EQ(*rig.v2_frame.read(0, 0x010, width), 0u) << "reserved reads as zero";
        EXPECT_TRUE(rig.v2_frame.write(0, 0x010, width, ~u64{0}).has_value());
        EXPECT_EQ(*rig.v2_frame.read(0, gicd::kSgir, width), 0u);
    }
}

TEST(GicV2Registers, OnlyAWholeSgirSends) {
    GicRig rig = make(GicVersion::v2, 2);
    rig.write(gicd::kSgir, 3, 0, Width::b1);
    rig.write(gicd::kSgir + 2, 0x0001, 0, Width::b2); // a target list
    EXPECT_EQ(rig.read(gicd::kIspendr), 0u);
    rig.write(gicd::kSgir, 0x0001'0005, 0, Width::b8);
    EXPECT_EQ(rig.read(gicd::kIspendr), 1u << 5);
}

TEST(GicV3Registers, DistributorTellsItsFixedChoices) {
    GicRig rig = make(GicVersion::v3, 2, 64);
    EXPECT_EQ(rig.read(gicd::kCtlr), 0x50u) << "DS and ARE are always set";
    rig.write(gicd::kCtlr, 0x13);
    EXPECT_EQ(rig.read(gicd::kCtlr), 0x53u);
    const aarch64::GicdTyper type{static_cast<u32>(rig.read(gicd::kTyper))};
    EXPECT_EQ(type.get<aarch64::GicdTyper::ItLinesNumber>(), 2u);
    EXPECT_EQ(type.get<aarch64::GicdTyper::IdBits>(), 9u);
    EXPECT_FALSE(type.get<aarch64::GicdTyper::Lpis>());
    EXPECT_FALSE(type.get<aarch64::GicdTyper::Mbis>());
    EXPECT_FALSE(type.get<aarch64::GicdTyper::SecurityExtn>());
    EXPECT_EQ(rig.read(gicd::kPidr2) >> 4 & 0xf, 3u);
    EXPECT_EQ(rig.read(0xfffc), 0xb1u);
}

TEST(GicV3Registers, PrivateInterruptsAreNotInTheDistributor) {
    GicRig rig = make(GicVersion::v3);
    for (const u32 family : {gicd::kIgroupr, gicd::kIsenabler, gicd::kIspendr, gicd::kIsactiver, gicd::kIpriorityr}) {
        rig.write(family, ~u32{0});
        EXPECT_EQ(rig.read(family), 0u);
    }
    EXPECT_EQ(rig.read_redistributor(0, gicr::kIsenabler0), 0u);
    EXPECT_EQ(rig.read(gicd::kIcfgr), 0u);
    EXPECT_EQ(rig.read(gicd::kItargetsr + 40), 0u);
}

TEST(GicV3Registers, RoutersTakeWordsAndDoubles) {
    GicRig rig = make(GicVersion::v3, 4);
    const u64 router = gicd::kIrouter + 8 * 40;
    rig.write(router, 0xff'ffff'ffff'ffff, 0, Width::b8);
    EXPECT_EQ(rig.read(router, 0, Width::b8), 0xff'80ff'ffffu);
    rig.write(router, 3);
    EXPECT_EQ(rig.read(router, 0, Width::b8), 0xff'0000'0003u);
    rig.write(router + 4, 0);
    EXPECT_EQ(rig.read(router), 3u);
    EXPECT_EQ(rig.read(router + 4), 0u);
    rig.write(router, 0x12, 0, Width::b1);
    rig.write(router + 2, 0x34, 0, Width::b2);
    EXPECT_EQ(rig.read(router, 0, Width::b8), 0x34'0012u);
    EXPECT_EQ(rig.read(router + 2, 0, Width::b1), 0x34u);
}

TEST(GicV3Registers, InterruptsThatDoNotExistHaveNoRoute) {
    GicRig rig = make(GicVersion::v3, 2, 33);
    for (u32 intid = 64; intid < 96; ++intid)
        rig.write(gicd::kIrouter + 8 * intid, u64{1} << 31 | 1, 0, Width::b8);
    EXPECT_NE(rig.read(gicd::kIrouter + 8 * 64, 0, Width::b8), 0u);
    for (u32 intid = 65; intid < 96; ++intid)
        EXPECT_EQ(rig.read(gicd::kIrouter + 8 * intid, 0, Width::b8), 0u) << intid;
    rig.route(64, 0);
    EXPECT_FALSE(rig.core.irqs().has_choices());
}

TEST(GicV3Registers, AnInterruptForAnyCpuGoesToOneThatIsAwake) {
    GicRig rig = make(GicVersion::v3, 3);
    rig.write(gicd::kCtlr, 3);
    rig.write_redistributor(2, gicr::kWaker, 0, 2);
    rig.arm(40);
    rig.write(gicd::kIrouter + 8 * 40, u64{1} << 31, 0, Width::b8);
    rig.raise(40);
    EXPECT_EQ(rig.take(0), 1023u);
    EXPECT_EQ(rig.take(2), 40u);
    rig.lower(40);
    rig.end(40, 2);
    rig.write_redistributor(1, gicr::kWaker, 0, 1);
    rig.write_redistributor(2, gicr::kWaker, 2, 2);
    rig.raise(40);
    EXPECT_EQ(rig.take(1), 40u);
}

TEST(GicV3Registers, RedistributorsTellWhoTheyAre) {
    GicRig rig = make(GicVersion::v3, 18);
    for (u32 cpu = 0; cpu < 18; ++cpu) {
        const aarch64::GicrTyper type{rig.read_redistributor(cpu, gicr::kTyper, 0, Width::b8)};
        EXPECT_EQ(type.get<aarch64::GicrTyper::Affinity>(), cpu < 16 ? cpu : 0x100 + cpu - 16);
        EXPECT_EQ(type.get<aarch64::GicrTyper::ProcessorNumber>(), cpu);
        EXPECT_EQ(type.get<aarch64::GicrTyper::Last>(), cpu == 17);
        EXPECT_FALSE(type.get<aarch64::GicrTyper::Plpis>());
        EXPECT_EQ(rig.read_redistributor(cpu, gicr::kTyper + 4, 0), type.raw() >> 32);
        EXPECT_EQ(rig.read_redistributor(cpu, gicr::kPidr2) >> 4 & 0xf, 3u);
    }
    EXPECT_EQ(rig.redistributors.read(0, 18 * gicr::kBytes, Width::b4).error(), BusFault::unmapped);
}

TEST(GicV3Registers, TheWakerFollowsItsSleepBit) {
    GicRig rig = make(GicVersion::v3);
    EXPECT_EQ(rig.read_redistributor(0, gicr::kWaker), 6u);
    rig.write_redistributor(0, gicr::kWaker, 0);
    EXPECT_EQ(rig.read_redistributor(0, gicr::kWaker), 0u);
    rig.write_redistributor(0, gicr::kWaker, 2);
    EXPECT_EQ(rig.read_redistributor(0, gicr::kWaker), 6u);
}

TEST(GicV3Registers, LpiRegistersReadAsZero) {
    GicRig rig = make(GicVersion::v3);
    rig.write_redistributor(0, gicr::kCtlr, 1);
    EXPECT_EQ(rig.read_redistributor(0, gicr::kCtlr), 0u);
    rig.write_redistributor(0, gicr::kPropbaser, ~u64{0}, 0, Width::b8);
    EXPECT_EQ(rig.read_redistributor(0, gicr::kPropbaser, 0, Width::b8), 0u);
    EXPECT_EQ(rig.read_redistributor(0, gicr::kPendbaser + 4), 0u);
}

class GicRegisters : public testing::TestWithParam<GicVersion> {};
INSTANTIATE_TEST_SUITE_P(Versions, GicRegisters, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &version) { return version.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicRegisters, SetAndClearRegistersShowOneState) {
    GicRig rig = make(GetParam());
    struct Pair {
        u32 set;
        u32 clear;
    };
    for (const Pair pair : {Pair{gicd::kIsenabler, gicd::kIcenabler}, Pair{gicd::kIspendr, gicd::kIcpendr},
                            Pair{gicd::kIsactiver, gicd::kIcactiver}}) {
        for (u32 word = 0; word < 3; ++word) {
            const u32 some = word == 0 ? 0xa5a5'0000 : 0xa5a5'5a5a;
            rig.write_bits(pair.set, word, some);
            EXPECT_EQ(rig.read_bits(pair.set, word), some);
            EXPECT_EQ(rig.read_bits(pair.clear, word), some);
            rig.write_bits(pair.set, word, 0x00ff'0000);
            EXPECT_EQ(rig.read_bits(pair.set, word), some | 0x00ff'0000);
            rig.write_bits(pair.clear, word, 0xf0f0'f0f0);
            EXPECT_EQ(rig.read_bits(pair.clear, word), (some | 0x00ff'0000) & 0x0f0f'0f0f);
            rig.write_bits(pair.clear, word, ~u32{0});
            EXPECT_EQ(rig.read_bits(pair.set, word), 0u);
        }
    }
}

TEST_P(GicRegisters, GroupsAreReadWrite) {
    GicRig rig = make(GetParam());
    for (u32 word = 0; word < 3; ++word) {
        EXPECT_EQ(rig.read_bits(gicd::kIgroupr, word), 0u);
        rig.write_bits(gicd::kIgroupr, word, 0xdead'beef);
        EXPECT_EQ(rig.read_bits(gicd::kIgroupr, word), 0xdead'beefu);
        rig.write_bits(gicd::kIgroupr, word, 0x1);
        EXPECT_EQ(rig.read_bits(gicd::kIgroupr, word), 0x1u);
    }
}

TEST_P(GicRegisters, PrioritiesKeepTheBitsThatListRegistersHave) {
    GicRig rig = make(GetParam());
    rig.set_priority(40, 0xff);
    EXPECT_EQ(rig.priority(40), 0xf8u);
    rig.set_priority(17, 0x0f);
    EXPECT_EQ(rig.priority(17), 0x08u);
    rig.write(gicd::kIpriorityr + 60, 0x4030'2010);
    EXPECT_EQ(rig.priority(60), 0x10u);
    EXPECT_EQ(rig.priority(63), 0x40u);
    EXPECT_EQ(rig.read(gicd::kIpriorityr + 60), 0x4030'2010u);
    EXPECT_EQ(rig.priority(40), 0xf8u);
}

TEST_P(GicRegisters, ConfigurationIsTwoBitsEachAndFixedForSgis) {
    GicRig rig = make(GetParam());
    const auto read = [&](u32 n) {
        return GetParam() == GicVersion::v3 && n < 2 ? rig.read_redistributor(0, gicr::kIcfgr0 + 4 * n)
                                                     : rig.read(gicd::kIcfgr + 4 * n);
    };
    const auto write = [&](u32 n, u32 value) {
        if (GetParam() == GicVersion::v3 && n < 2)
            rig.write_redistributor(0, gicr::kIcfgr0 + 4 * n, value);
        else
            rig.write(gicd::kIcfgr + 4 * n, value);
    };
    EXPECT_EQ(read(0), 0xaaaa'aaaau);
    write(0, 0);
    EXPECT_EQ(read(0), 0xaaaa'aaaau);
    for (u32 n = 1; n < 6; ++n) {
        EXPECT_EQ(read(n), 0u);
        write(n, 0x5555'5555);
        EXPECT_EQ(read(n), 0u) << "the lower bit is reserved";
        write(n, 0xf00f'8004);
        EXPECT_EQ(read(n), 0xa00a'8000u);
        write(n, 0x8);
        EXPECT_EQ(read(n), 0x8u);
    }
}

TEST_P(GicRegisters, APartOfARegisterIsThatPart) {
    GicRig rig = make(GetParam(), 2, 100);
    for (const u32 family : {gicd::kIgroupr, gicd::kIsenabler, gicd::kIspendr, gicd::kIsactiver}) {
        rig.write(family + 4, 0x0000'00a5);
        rig.write(family + 6, 0x5a, 0, Width::b1);
        EXPECT_EQ(rig.read(family + 4), 0x005a'00a5u);
        rig.write(family + 8, 0xffff, 0, Width::b2);
        EXPECT_EQ(rig.read(family + 8, 0, Width::b2), 0xffffu);
        EXPECT_EQ(rig.read(family + 10, 0, Width::b2), 0u);
        EXPECT_EQ(rig.read(family + 9, 0, Width::b1), 0xffu);
    }
    rig.write(gicd::kIgroupr + 4, 0, 0, Width::b1);
    EXPECT_EQ(rig.read(gicd::kIgroupr + 4), 0x005a'0000u);
    rig.write(gicd::kIcenabler + 4, 0xff, 0, Width::b1);
    EXPECT_EQ(rig.read(gicd::kIsenabler + 4), 0x005a'0000u) << "the other bytes stay as they are";
    rig.write(gicd::kIcfgr + 8, 0xaaaa'aaaa);
    rig.write(gicd::kIcfgr + 9, 0, 0, Width::b1);
    EXPECT_EQ(rig.read(gicd::kIcfgr + 8), 0xaaaa'00aau);
    rig.write(gicd::kIpriorityr + 42, 0x5060, 0, Width::b2);
    EXPECT_EQ(rig.read(gicd::kIpriorityr + 40), 0x5060'0000u);
    rig.write(gicd::kCtlr, 3);
    rig.write(gicd::kCtlr + 1, 0xff, 0, Width::b1);
    EXPECT_EQ(rig.read(gicd::kCtlr) & 3, 3u);
    rig.write(gicd::kCtlr, 0, 0, Width::b1);
    EXPECT_EQ(rig.read(gicd::kCtlr) & 3, 0u);
    const u64 pidr2 = GetParam() == GicVersion::v2 ? 0xfe8 : gicd::kPidr2;
    EXPECT_EQ(rig.read(pidr2, 0, Width::b1) >> 4, GetParam() == GicVersion::v2 ? 2u : 3u);
}

TEST_P(GicRegisters, ADoublewordIsTwoRegisters) {
    GicRig rig = make(GetParam(), 2, 100);
    rig.write(gicd::kIsenabler + 8, 0x0000'0003'0000'0005, 0, Width::b8);
    EXPECT_EQ(rig.read(gicd::kIsenabler + 8), 5u);
    EXPECT_EQ(rig.read(gicd::kIsenabler + 12), 3u);
    EXPECT_EQ(rig.read(gicd::kIsenabler + 8, 0, Width::b8), 0x0000'0003'0000'0005u);
    rig.write(gicd::kCtlr, 3, 0, Width::b8);
    EXPECT_EQ(rig.read(gicd::kCtlr, 0, Width::b8), rig.read(gicd::kCtlr) | rig.read(gicd::kTyper) << 32);
    EXPECT_EQ(rig.read(gicd::kIidr, 0, Width::b8), rig.read(gicd::kIidr)) << "a register and a hole";
    if (GetParam() == GicVersion::v3) {
        EXPECT_EQ(rig.read_redistributor(1, gicr::kStatusr, 1, Width::b8),
                  u64{rig.read_redistributor(1, gicr::kWaker, 1)} << 32)
            << "a hole and a register";
        rig.write_redistributor(1, gicr::kStatusr, 0, 1, Width::b8);
        EXPECT_EQ(rig.read_redistributor(1, gicr::kWaker, 1), 0u);
    }
}

TEST_P(GicRegisters, EveryOffsetAnswersOrRefusesAndNothingElse) {
    GicRig rig = make(GetParam(), 2, 100);
    rig.open();
    const u64 end = GetParam() == GicVersion::v2 ? dev::DistributorV2::kBytes : dev::DistributorV3::kBytes;
    for (u64 offset = 0; offset < end; ++offset) {
        for (const Width width : {Width::b1, Width::b2, Width::b4, Width::b8}) {
            const auto value = rig.v2() ? rig.v2_frame.read(1, offset, width) : rig.v3_frame.read(1, offset, width);
            if (value) {
                EXPECT_EQ(*value & ~mask_of(width), 0u);
            } else {
                EXPECT_EQ(value.error(), BusFault::alignment);
                EXPECT_NE(offset % bytes_of(width), 0u);
            }
        }
    }
}

TEST(GicConfig, RefusesWhatCannotBeBuilt) {
    fake::HeapAllocator allocator;
    const auto error_of = [&](const dev::GicConfig &config) {
        dev::GicCore core;
        return core.init(allocator, config).error();
    };
    EXPECT_EQ(error_of({GicVersion::v2, 9, 32}), dev::GicError::vcpu_count);
    EXPECT_EQ(error_of({GicVersion::v3, 129, 32}), dev::GicError::vcpu_count);
    EXPECT_EQ(error_of({GicVersion::v3, 0, 32}), dev::GicError::vcpu_count);
    EXPECT_EQ(error_of({GicVersion::v3, 1, 989}), dev::GicError::spi_count);
    for (usize failing = 1; failing <= 3; ++failing) {
        allocator.fail_at(failing);
        EXPECT_EQ(error_of({GicVersion::v3, 2, 32}), dev::GicError::out_of_memory) << failing;
        allocator.fail_at(0);
        EXPECT_EQ(allocator.live(), 0u);
    }
}

TEST(GicConfig, RefusesAHostThatCannotDeliverIt) {
    fake::HeapAllocator allocator;
    dev::GicCore core;
    ASSERT_TRUE(core.init(allocator, {GicVersion::v3, 2, 988}).has_value());
    fake::VirtualTimer timer;
    auto abilities = ListRegisters::full();
    abilities.max_intid = 255;
    fake::ListRegisters narrow(abilities);
    EXPECT_EQ(core.attach(0, narrow, timer).error(), dev::GicError::intid_range);
    abilities = ListRegisters::full(0);
    fake::ListRegisters none(abilities);
    EXPECT_EQ(core.attach(0, none, timer).error(), dev::GicError::list_registers);
    fake::ListRegisters good(ListRegisters::full());
    EXPECT_TRUE(core.attach(0, good, timer).has_value());
    fake::ListRegisters other(ListRegisters::injection_only());
    EXPECT_EQ(core.attach(1, other, timer).error(), dev::GicError::abilities);
    EXPECT_EQ(core.attach(2, good, timer).error(), dev::GicError::vcpu_count);
}

} // namespace
} // namespace sel4vm::test
