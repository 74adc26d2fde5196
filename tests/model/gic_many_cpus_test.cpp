// SPDX-License-Identifier: BSD-2-Clause
//
// GICv3 with as many vCPUs as it can have: 128, sixteen to a cluster.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <random>

namespace sel4vm::test {
namespace {

using aarch64::GicrTyper;
using dev::CpuSet;
using dev::GicVersion;
using fake::ListRegisters;

constexpr u32 kCpus = 128;
constexpr u32 kSgi = 9;
constexpr u64 kSgiField = u64{kSgi} << 24;

struct ManyCpus : GicRig {
    explicit ManyCpus(u32 first_redistributors = ~u32{0})
        : GicRig({GicVersion::v3, kCpus, 64, ListRegisters::full(), false, first_redistributors}) {
        open();
        for (u32 cpu = 0; cpu < kCpus; ++cpu)
            write_bits(gicd::kIsenabler, 0, bit<u32>(kSgi), cpu);
    }
    /// Who has the SGI pending; takes and ends it.
    CpuSet receivers() {
        CpuSet all;
        for (u32 cpu = 0; cpu < kCpus; ++cpu) {
            if (serve(cpu) == kSgi)
                all.add(CpuSet::of(cpu));
        }
        return all;
    }
};

CpuSet range_of(u32 first, u32 count) {
    CpuSet set;
    for (u32 n = first; n < first + count; ++n)
        set.add(CpuSet::of(n));
    return set;
}

TEST(GicCpuSet, HoldsEachOfItsCpus) {
    CpuSet set;
    EXPECT_TRUE(set.empty());
    for (u32 n = 0; n < kCpus; ++n) {
        EXPECT_FALSE(set.has(n));
        set.add(CpuSet::of(n));
        EXPECT_TRUE(set.has(n));
    }
    u32 next = 0;
    set.for_each([&](u32 n) { EXPECT_EQ(n, next++); });
    EXPECT_EQ(next, kCpus);
    for (u32 n = 0; n < kCpus; ++n) {
        set.remove(CpuSet::of(n));
        EXPECT_FALSE(set.has(n));
    }
    EXPECT_TRUE(set.empty());
}

TEST(GicManyCpus, AnSgiReachesEachOfThemAndNobodyElse) {
    ManyCpus rig;
    for (u32 to = 0; to < kCpus; ++to) {
        rig.send_sgi(127 - to, to, kSgi);
        EXPECT_EQ(rig.receivers(), CpuSet::of(to)) << to;
    }
}

TEST(GicManyCpus, AnSgiReachesAWholeClusterOrEverybodyElse) {
    ManyCpus rig;
    for (u32 cluster = 0; cluster < kCpus / 16; ++cluster) {
        rig.sgi_v3(kSgiField | u64{cluster} << 16 | 0xffff, 5);
        EXPECT_EQ(rig.receivers(), range_of(16 * cluster, 16)) << cluster;
    }
    rig.sgi_v3(kSgiField | u64{1} << 40, 70);
    CpuSet others = range_of(0, kCpus);
    others.remove(CpuSet::of(70));
    EXPECT_EQ(rig.receivers(), others);
}

TEST(GicManyCpus, NobodyHasAnAffinityThatTheRangeSelectorAddsOrThatIsBehindTheLast) {
    ManyCpus rig;
    EXPECT_TRUE(aarch64::GicdTyper{static_cast<u32>(rig.read(gicd::kTyper))}.get<aarch64::GicdTyper::Rss>());
    rig.sgi_v3(kSgiField | u64{1} << 44 | 0xffff, 0);
    EXPECT_TRUE(rig.receivers().empty()) << "Aff0 16 to 31, which is not the next cluster";
    rig.sgi_v3(kSgiField | u64{8} << 16 | 0xffff, 0);
    EXPECT_TRUE(rig.receivers().empty()) << "the ninth cluster";
}

TEST(GicManyCpus, ASharedInterruptGoesToTheAffinityOfItsRoute) {
    ManyCpus rig;
    rig.arm(40);
    for (const u32 cpu : {0u, 15u, 16u, 63u, 64u, 127u}) {
        rig.route(40, cpu);
        EXPECT_EQ(rig.read(gicd::kIrouter + 8 * 40, 0, Width::b8), aarch64::affinity_of_vcpu(cpu));
        rig.raise(40);
        EXPECT_EQ(rig.take(cpu), 40u) << cpu;
        rig.lower(40);
        rig.end(40, cpu);
    }
    rig.write(gicd::kIrouter + 8 * 40, 0x800, 0, Width::b8);
    rig.raise(40);
    EXPECT_TRUE(rig.take_wakes() == 0) << "nobody has that affinity";
}

TEST(GicManyCpus, TheLastRedistributorOfEachRowSaysSo) {
    ManyCpus rig(123);
    for (u32 cpu = 0; cpu < kCpus; ++cpu) {
        const GicrTyper type{rig.read_redistributor(cpu, gicr::kTyper, 0, Width::b8)};
        EXPECT_EQ(type.get<GicrTyper::Affinity>(), aarch64::affinity_of_vcpu(cpu));
        EXPECT_EQ(type.get<GicrTyper::ProcessorNumber>(), cpu);
        EXPECT_EQ(type.get<GicrTyper::Last>(), cpu == 122 || cpu == 127) << cpu;
    }
}

TEST(GicManyCpus, AStateOfThemGoesIntoAnotherGic) {
    ManyCpus rig, other;
    rig.automatic = false;
    for (const u32 cpu : {3u, 64u, 127u})
        rig.send_sgi(0, cpu, kSgi);
    const auto state = std::make_unique<dev::GicState>();
    rig.core.save(*state);
    other.core.restore(*state);
    other.settle();
    CpuSet expected = CpuSet::of(3);
    expected.add(CpuSet::of(64));
    expected.add(CpuSet::of(127));
    EXPECT_EQ(other.receivers(), expected);
}

/// What goes to any vCPU is chosen for all interrupts at once: the same as by a search for each.
TEST(GicManyCpus, WhatMayGoToAnyGoesToTheFirstThatCanTakeIt) {
    constexpr u32 kChipCpus = 9;
    GicRig rig({GicVersion::v3, kChipCpus, 64, ListRegisters::full()});
    rig.open();
    std::mt19937 generator(7); // NOLINT(cert-msc51-cpp): the same every time
    const auto random = [&] { return static_cast<u32>(generator()); };
    for (u32 intid = 32; intid < 96; ++intid) {
        rig.write(gicd::kIrouter + 8 * intid, u64{1} << 31, 0, Width::b8);
        rig.set_priority(intid, static_cast<u8>(random() % 32 * 8));
        if (random() % 2 != 0)
            rig.write_bits(gicd::kIgroupr, intid / 32,
                           rig.read_bits(gicd::kIgroupr, intid / 32) | bit<u32>(intid % 32));
    }
    const auto rank = [&](u32 n, u32 intid) {
        const dev::CpuState &cpu = rig.core.irqs().cpu(n);
        const dev::IrqWord &irq = rig.core.irqs().word(0, intid / 32);
        if (!cpu.on)
            return 0;
        if (cpu.asleep)
            return 1;
        return cpu.gate.passes(irq.priority[intid % 32], (irq.group1 >> intid % 32 & 1) != 0) ? 3 : 2;
    };
    for (int step = 0; step < 400; ++step) {
        const u32 cpu = random() % kChipCpus;
        const u32 intid = 32 + random() % 64;
        switch (random() % 6) {
        case 0: rig.core.irqs().cpu(cpu).on ? rig.turn_off(cpu) : rig.turn_on(cpu); break;
        case 1: rig.write_redistributor(cpu, gicr::kWaker, random() % 2 * 2, cpu); break;
        case 2: rig.set_priority(intid, static_cast<u8>(random() % 32 * 8)); break;
        case 3: rig.write_bits(gicd::kIgroupr, intid / 32, random()); break;
        default:
            rig.set_control(cpu, (random() % 33 * 8 & 0xff) << 24 | random() % 4);
            if (rig.core.irqs().cpu(cpu).on)
                rig.sync(cpu);
        }
        for (u32 i = 32; i < 96; ++i) {
            u32 best = 0;
            for (u32 n = 1; n < kChipCpus; ++n)
                best = rank(n, i) > rank(best, i) ? n : best;
            ASSERT_EQ(rig.core.irqs().target_of(0, i), best) << "step " << step << " intid " << i;
        }
    }
}

} // namespace
} // namespace sel4vm::test
