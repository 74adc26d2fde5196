// SPDX-License-Identifier: BSD-2-Clause
//
// Saving a GIC and restoring it, into itself and into another: what the guest reads, and what it is then given, is the same.
#include <sel4vm/dev/arm/gic/gic_state.hpp>

#include <gtest/gtest.h>
#include <support/gic_rig.hpp>

#include <cstring>
#include <memory>
#include <random>

namespace sel4vm::test {
namespace {

using dev::GicState;
using dev::GicVersion;
using fake::ListRegisters;

constexpr u32 kCpus = 3;
constexpr u32 kSpis = 64;

class GicRestoring : public testing::TestWithParam<GicVersion> {
protected:
    [[nodiscard]] GicRig make(const ListRegisters::Abilities &abilities = ListRegisters::full()) const {
        return GicRig({GetParam(), kCpus, kSpis, abilities});
    }
    [[nodiscard]] static std::unique_ptr<GicState> save(GicRig &rig) {
        auto state = std::make_unique<GicState>();
        rig.core.save(*state);
        return state;
    }
    static void restore(GicRig &rig, const GicState &state) {
        rig.core.restore(state);
        rig.settle();
    }
    /// Every register with a bit or a field for each interrupt, as each vCPU reads it.
    [[nodiscard]] static std::vector<u64> registers(GicRig &rig) {
        std::vector<u64> values{rig.read(gicd::kCtlr)};
        constexpr u32 kFamilies[] = {gicd::kIgroupr, gicd::kIsenabler, gicd::kIspendr, gicd::kIsactiver};
        for (u32 cpu = 0; cpu < kCpus; ++cpu) {
            for (u32 word = 0; word <= kSpis / 32; ++word) {
                for (const u32 family : kFamilies)
                    values.push_back(rig.read_bits(family, word, cpu));
            }
            for (u32 intid = 0; intid < 32 + kSpis; ++intid)
                values.push_back(rig.priority(intid, cpu));
            if (!rig.v2())
                values.push_back(rig.read_redistributor(cpu, gicr::kWaker, cpu));
            for (u32 n = 0; rig.v2() && n < 4; ++n)
                values.push_back(rig.read(gicd::kSpendsgir + 4 * n, cpu));
        }
        for (u32 intid = 32; intid < 32 + kSpis; ++intid)
            values.push_back(rig.v2() ? rig.read(gicd::kItargetsr + intid, 0, Width::b1)
                                      : rig.read(gicd::kIrouter + 8 * intid, 0, Width::b8));
        for (u32 n = 0; n < (32 + kSpis) / 16; ++n)
            values.push_back(rig.v2() || n > 1 ? rig.read(gicd::kIcfgr + 4 * n) : 0);
        return values;
    }
    /// Everything that each vCPU is given until nothing is left.
    [[nodiscard]] static std::vector<u32> drained(GicRig &rig) {
        std::vector<u32> order;
        for (u32 cpu = 0; cpu < kCpus; ++cpu) {
            for (u32 intid = rig.serve(cpu); intid != 1023 && order.size() < 500; intid = rig.serve(cpu))
                order.push_back(cpu << 16 | intid);
        }
        return order;
    }
    /// As a guest sets its interrupts up and is then hit by many.
    static void live(GicRig &rig, u32 seed) {
        std::mt19937 random(seed);
        const auto below = [&](u32 n) { return static_cast<u32>(random() % n); };
        rig.open();
        for (u32 n = 0; n < 200; ++n) {
            const u32 cpu = below(kCpus);
            const u32 intid = below(32 + kSpis);
            switch (below(8)) {
            case 0:
            case 1: rig.arm(intid, static_cast<u8>(below(32) << 3), cpu); break;
            case 2: rig.write_bit(gicd::kIgroupr, intid, cpu); break;
            case 3: rig.write_bit(gicd::kIspendr, intid, cpu); break;
            case 4: rig.send_sgi(cpu, below(kCpus), below(16)); break;
            case 5: static_cast<void>(rig.acknowledge(cpu)); break;
            case 6:
                if (intid >= 16)
                    rig.make_edge(intid, cpu);
                break;
            default: rig.write_bit(gicd::kIcenabler, intid, cpu); break;
            }
        }
    }
};

INSTANTIATE_TEST_SUITE_P(Versions, GicRestoring, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &which) { return which.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicRestoring, AnotherOneReadsTheSame) {
    for (u32 seed = 0; seed < 20; ++seed) {
        GicRig first = make();
        live(first, seed);
        const auto state = save(first);
        GicRig second = make();
        restore(second, *state);
        EXPECT_EQ(registers(second), registers(first)) << seed;
        EXPECT_EQ(second.violation(), nullptr);
    }
}

TEST_P(GicRestoring, SavingChangesNothing) {
    GicRig rig = make();
    live(rig, 1);
    const auto before = registers(rig);
    const auto once = save(rig);
    EXPECT_EQ(registers(rig), before);
    EXPECT_EQ(*save(rig), *once);
}

TEST_P(GicRestoring, ItselfGoesOnFromThere) {
    GicRig rig = make();
    rig.open();
    for (u32 intid = 40; intid < 50; ++intid) {
        rig.arm(intid, static_cast<u8>((intid - 40) << 4), intid % kCpus);
        rig.write_bit(gicd::kIspendr, intid);
    }
    rig.send_sgi(1, 0, 3);
    rig.arm(3, 0, 0);
    const auto state = save(rig);
    const auto order = drained(rig);
    EXPECT_EQ(order.size(), 11u);
    EXPECT_TRUE(drained(rig).empty());
    restore(rig, *state);
    EXPECT_EQ(drained(rig), order);
    EXPECT_EQ(rig.violation(), nullptr);
}

TEST_P(GicRestoring, WhatWasActiveIsEndedOnceAndComesOnlyWhenItIsPendingAgain) {
    GicRig first = make();
    first.open();
    first.arm(40);
    first.write_bit(gicd::kIspendr, 40);
    ASSERT_EQ(first.take(), 40u);
    const auto state = save(first);
    EXPECT_EQ(state->shared[0].irqs.active, bit<u32>(8));
    EXPECT_EQ(state->shared[0].irqs.pending, 0u);
    GicRig second = make();
    restore(second, *state);
    EXPECT_EQ(second.take(), 1023u) << "it is active";
    second.end(40);
    EXPECT_FALSE(second.bit_of(gicd::kIsactiver, 40));
    second.write_bit(gicd::kIspendr, 40);
    EXPECT_EQ(second.serve(), 40u);
}

TEST_P(GicRestoring, AWireIsItsDrivers) {
    GicRig first = make();
    first.open();
    first.arm(40);
    first.raise(40);
    first.make_edge(41);
    first.arm(41, 0x40);
    first.raise(41);
    ASSERT_EQ(first.serve(), 41u);
    ASSERT_EQ(first.serve(), 40u);
    const auto state = save(first);
    GicRig second = make();
    second.raise(40);
    second.raise(41); // an edge, were it not that the saved one had been delivered
    restore(second, *state);
    EXPECT_EQ(second.serve(), 40u);
    second.lower(40);
    EXPECT_EQ(second.serve(), 1023u);
    EXPECT_FALSE(second.bit_of(gicd::kIspendr, 41));
}

TEST_P(GicRestoring, AVcpuThatIsOffStaysOff) {
    GicRig rig = make();
    rig.open();
    rig.turn_off(2);
    const auto state = save(rig);
    restore(rig, *state);
    EXPECT_TRUE(rig.core.irqs().cpu(0).on);
    EXPECT_FALSE(rig.core.irqs().cpu(2).on);
}

TEST_P(GicRestoring, TheCpuInterfaceComesBackWhereTheHostTellsIt) {
    GicRig rig = make();
    rig.set_control(0, 0x8000'0001);
    const auto state = save(rig);
    rig.set_control(0, 0);
    restore(rig, *state);
    EXPECT_EQ(rig.lists[0].interface_control(), 0x8000'0001u);
}

TEST_P(GicRestoring, AStateOfAHostWithoutReadBackLeavesTheInterfaceAlone) {
    GicRig poor = make(ListRegisters::injection_only());
    poor.open();
    poor.arm(40);
    poor.write_bit(gicd::kIspendr, 40);
    const auto state = save(poor);
    GicRig rich = make();
    rich.set_control(0, 0xf000'0003);
    restore(rich, *state);
    EXPECT_EQ(rich.lists[0].interface_control(), 0xf000'0003u);
    EXPECT_EQ(rich.serve(), 40u) << "what a list register held is pending";
}

TEST_P(GicRestoring, NoValueIsIllegal) {
    auto state = std::make_unique<GicState>();
    std::memset(static_cast<void *>(state.get()), 0xff, sizeof(GicState));
    GicRig rig = make();
    restore(rig, *state);
    EXPECT_EQ(rig.violation(), nullptr);
    EXPECT_EQ(rig.read_bits(gicd::kIsenabler, 2), ~0u);
    if (rig.v2()) {
        EXPECT_EQ(rig.read(gicd::kItargetsr + 40, 0, Width::b1), low_mask<u32>(kCpus)) << "CPUs that there are";
        EXPECT_EQ(rig.read(gicd::kSpendsgir, 0, Width::b1), low_mask<u32>(kCpus));
    }
    const auto back = save(rig);
    EXPECT_EQ(back->cpus[kCpus].irqs.enabled, 0u) << "no such vCPU";
    EXPECT_EQ(back->shared[kSpis / 32].irqs.enabled, 0u) << "no such interrupts";
    GicRig fresh = make();
    restore(fresh, GicState{});
    GicRig untouched = make();
    EXPECT_EQ(registers(fresh), registers(untouched))
        << "all zero is a GIC after reset, but for SGIs, which are always edge-triggered";
}

} // namespace
} // namespace sel4vm::test
