// SPDX-License-Identifier: BSD-2-Clause
//
// Thousands of random steps - wires, register writes, SGIs, acknowledgements, ends - on the model and on the reference
// beside it. On a host with every ability both must agree at each step. On an injecting host, nothing that was raised may
// be missing at the end, and nothing may come more often than it was raised.
#include <support/gic_reference.hpp>
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;

constexpr u32 kIntids = 32 + 40;
constexpr int kByRegister = 100; ///< active on no vCPU, but by a write to ISACTIVER

struct Plan {
    GicVersion version;
    u32 cpus;
    u8 lists;
    u32 seed;
};

std::string name_of(const testing::TestParamInfo<Plan> &info) {
    const Plan &s = info.param;
    return (s.version == GicVersion::v2 ? "v2cpus" : "v3cpus") + std::to_string(s.cpus) + "lists" +
           std::to_string(s.lists) + "seed" + std::to_string(s.seed);
}

class Random {
public:
    explicit Random(u32 seed) : engine_(seed) {}
    u32 below(u32 limit) { return static_cast<u32>(engine_() % limit); }

private:
    std::mt19937 engine_;
};

class GicExact : public testing::TestWithParam<Plan> {
protected:
    GicExact()
        : rig({GetParam().version, GetParam().cpus, kIntids - 32, ListRegisters::full(GetParam().lists)}),
          reference(GetParam().cpus, kIntids), random(GetParam().seed) {
        rig.open();
        reference.groups = 3;
        // A busy corner of the machine: a few interrupts that meet often.
        for (u32 intid = 32; intid < kIntids; ++intid)
            rig.route(intid, 0);
    }
    u32 some_irq() {
        static constexpr u32 kCorner[] = {0, 3, 7, 15, 16, 20, 27, 31, 32, 33, 40, 41, 50, 63, 64, 70, 71};
        return kCorner[random.below(std::size(kCorner))];
    }
    void step();
    void acknowledge(u32 cpu);
    void end(u32 cpu);
    void compare();
    void change_priority(u32 cpu, u32 intid);

    GicRig rig;
    GicReference reference;
    Random random;
    std::string last;
};

void GicExact::acknowledge(u32 cpu) {
    if ((reference.on >> cpu & 1) == 0)
        return;
    std::optional<u8> expected = reference.next(cpu);
    // Whether a priority still runs whose interrupt was deactivated cannot be seen from outside: then "yes" is right, too.
    if (expected || reference.running_is_visible(cpu)) {
        EXPECT_EQ(rig.deliverable(cpu), expected.has_value()) << last;
    }
    const auto taken = rig.acknowledge(cpu);
    ASSERT_EQ(taken.has_value(), expected.has_value()) << last;
    if (!taken)
        return;
    ASSERT_TRUE(reference.deliverable(cpu, taken->intid)) << last << ", took " << taken->intid;
    ASSERT_EQ(reference.at(cpu, taken->intid).priority, *expected) << last << ", took " << taken->intid;
    if (taken->intid < 16) {
        ASSERT_TRUE((reference.at(cpu, taken->intid).senders >> taken->source & 1) != 0) << last;
    }
    reference.acknowledged(cpu, taken->intid, taken->source);
}

void GicExact::end(u32 cpu) {
    if (reference.running[cpu].empty())
        return;
    const GicReference::Running ended = reference.end(cpu);
    rig.end(ended.intid, cpu, static_cast<u8>(ended.source));
}

void GicExact::change_priority(u32 cpu, u32 intid) {
    const u8 priority = static_cast<u8>(8 * random.below(12));
    rig.set_priority(intid, priority, cpu);
    reference.at(cpu, intid).priority = priority;
}

void GicExact::step() {
    const u32 cpu = random.below(GetParam().cpus);
    const u32 intid = some_irq();
    GicReference::Irq &irq = reference.at(cpu, intid);
    const u32 action = random.below(24);
    last = "action " + std::to_string(action) + " cpu " + std::to_string(cpu) + " intid " + std::to_string(intid);
    switch (action) {
    case 0:
    case 1:
    case 2:
        if (intid >= 16) {
            const bool high = random.below(2) != 0;
            rig.set(intid, level_of(high), cpu);
            reference.set_wire(cpu, intid, high);
        }
        break;
    case 3:
    case 4:
        rig.write_bit(gicd::kIsenabler, intid, cpu);
        irq.enabled = true;
        break;
    case 5:
        rig.write_bit(gicd::kIcenabler, intid, cpu);
        irq.enabled = false;
        break;
    case 6:
        if (intid >= 16) {
            rig.write_bit(gicd::kIspendr, intid, cpu);
            irq.latch = true;
        }
        break;
    case 7:
        if (intid >= 16) {
            rig.write_bit(gicd::kIcpendr, intid, cpu);
            irq.latch = false;
        }
        break;
    case 8: change_priority(cpu, intid); break;
    case 9:
    case 10: {
        const u32 to = random.below(GetParam().cpus);
        const u32 sgi = intid % 16;
        rig.send_sgi(cpu, to, sgi);
        reference.at(to, sgi).senders |= 1u << (GetParam().version == GicVersion::v2 ? cpu : 0);
        break;
    }
    case 11:
        if (intid >= 32) {
            const u32 to = random.below(GetParam().cpus);
            rig.route(intid, to);
            irq.targets = 1u << to;
        }
        break;
    case 12:
        if (random.below(4) == 0) {
            const u32 groups = random.below(4) == 0 ? random.below(4) : 3;
            rig.write(gicd::kCtlr, groups);
            reference.groups = groups;
        }
        break;
    case 13:
        rig.read_bits(gicd::kIsactiver, intid / 32, cpu); // the first look makes others report
        rig.write_bit(gicd::kIcactiver, intid, cpu);
        irq.active_on = -1;
        break;
    case 14:
        // Only what is not pending: a change of configuration decides nothing about the past.
        if (intid >= 16 && !irq.pending() && irq.active_on < 0 && !irq.wire) {
            rig.make_edge(intid, cpu);
            irq.edge = true;
        }
        break;
    case 15: {
        const u32 word = intid / 32;
        const u32 groups = random.below(2) != 0 ? ~u32{0} : 0;
        if (word == 0 || irq.active_on < 0) {
            rig.write_bits(gicd::kIgroupr, word, groups, cpu);
            for (u32 other = word * 32; other < word * 32 + 32 && other < kIntids; ++other)
                reference.at(cpu, other).group = static_cast<u8>(groups & 1);
        }
        break;
    }
    case 16:
    case 17: end(cpu); break;
    case 19:
        // Whether the end of one that was deactivated meanwhile ends this is nobody's question.
        if (random.below(3) == 0 && irq.active_on < 0 && !reference.runs(intid)) {
            rig.read_bits(gicd::kIsactiver, intid / 32, cpu); // as below
            rig.write_bit(gicd::kIsactiver, intid, cpu);
            irq.active_on = kByRegister;
        }
        break;
    case 20:
        if (intid >= 32 && GetParam().version == GicVersion::v2) {
            irq.targets = 1 + random.below((1u << GetParam().cpus) - 1);
            rig.write(gicd::kItargetsr + intid, irq.targets, cpu, Width::b1);
        } else if (intid >= 32) {
            irq.targets = (1u << GetParam().cpus) - 1;
            rig.write(gicd::kIrouter + 8 * intid, u64{1} << 31, cpu, Width::b8);
        }
        break;
    case 21:
        if (random.below(4) == 0 && (reference.on >> cpu & 1) != 0) {
            reference.turn_off(cpu);
            rig.turn_off(cpu);
        }
        break;
    case 22:
        if ((reference.on >> cpu & 1) == 0) {
            reference.turn_on(cpu);
            rig.turn_on(cpu);
        }
        break;
    default: acknowledge(cpu); break;
    }
}

void GicExact::compare() {
    for (u32 cpu = 0; cpu < GetParam().cpus; ++cpu) {
        for (u32 word = 0; word * 32 < kIntids; ++word) {
            // What other vCPUs have acknowledged is seen at the second look.
            static_cast<void>(rig.read_bits(gicd::kIsactiver, word, cpu));
            const u32 active = rig.read_bits(gicd::kIsactiver, word, cpu);
            const u32 pending = rig.read_bits(gicd::kIspendr, word, cpu);
            const u32 enabled = rig.read_bits(gicd::kIsenabler, word, cpu);
            for (u32 i = 0; i < 32 && word * 32 + i < kIntids; ++i) {
                const GicReference::Irq &irq = reference.at(cpu, word * 32 + i);
                ASSERT_EQ(active >> i & 1, irq.active_on >= 0 ? 1u : 0u) << last << ": active of " << word * 32 + i;
                ASSERT_EQ(pending >> i & 1, irq.pending() ? 1u : 0u) << last << ": pending of " << word * 32 + i;
                ASSERT_EQ(enabled >> i & 1, irq.enabled ? 1u : 0u) << last << ": enable of " << word * 32 + i;
            }
        }
    }
}

TEST_P(GicExact, AgreesWithTheReferenceAtEveryStep) {
    for (int n = 0; n < 6000; ++n) {
        step();
        if (HasFatalFailure() || HasNonfatalFailure())
            FAIL() << "at step " << n << ": " << last;
        if (n % 7 == 0)
            compare();
        if (HasFatalFailure())
            FAIL() << "at step " << n;
        ASSERT_EQ(rig.violation(), nullptr) << rig.violation() << " at step " << n << ": " << last;
    }
}

INSTANTIATE_TEST_SUITE_P(Setups, GicExact,
                         testing::Values(Plan{GicVersion::v2, 1, 4, 1}, Plan{GicVersion::v2, 1, 1, 2},
                                         Plan{GicVersion::v2, 3, 4, 3}, Plan{GicVersion::v2, 8, 2, 4},
                                         Plan{GicVersion::v2, 2, 16, 5}, Plan{GicVersion::v3, 1, 4, 6},
                                         Plan{GicVersion::v3, 2, 4, 7}, Plan{GicVersion::v3, 4, 2, 8},
                                         Plan{GicVersion::v3, 2, 16, 9}, Plan{GicVersion::v3, 3, 1, 10}),
                         name_of);

class GicInjecting : public testing::TestWithParam<Plan> {};

TEST_P(GicInjecting, LosesNothingAndInventsNothing) {
    const Plan &setup = GetParam();
    GicRig rig({setup.version, setup.cpus, kIntids - 32, ListRegisters::injection_only(setup.lists)});
    Random random(setup.seed);
    rig.open();
    std::vector<bool> is_edge(kIntids, false);
    for (u32 intid = 16; intid < kIntids; ++intid) {
        for (u32 cpu = 0; cpu < (intid < 32 ? setup.cpus : 1); ++cpu) {
            is_edge[intid] = intid % 3 == 0;
            if (is_edge[intid])
                rig.make_edge(intid, cpu);
            rig.arm(intid, static_cast<u8>(8 * random.below(32) & 0xf0), cpu);
        }
    }
    for (u32 cpu = 0; cpu < setup.cpus; ++cpu)
        rig.write_bits(gicd::kIsenabler, 0, 0xffff, cpu);

    // For each vCPU and INTID (shared ones under vCPU 0): a raise not yet answered, and how many there were.
    std::map<std::pair<u32, u32>, bool> owed;
    std::map<std::pair<u32, u32>, int> balance;
    std::vector<std::vector<u32>> running(setup.cpus);
    std::map<std::pair<u32, u32>, bool> wire;
    const auto key = [](u32 cpu, u32 intid) { return std::pair{intid < 32 ? cpu : 0, intid}; };
    const auto take = [&](u32 cpu) {
        const auto taken = rig.acknowledge(cpu);
        if (!taken)
            return false;
        running[cpu].push_back(taken->intid);
        owed[key(cpu, taken->intid)] = false;
        if (taken->intid < 16 || is_edge[taken->intid]) {
            EXPECT_GE(--balance[key(cpu, taken->intid)], 0) << "INTID " << taken->intid << " came once too often";
        }
        return true;
    };
    const auto end = [&](u32 cpu) {
        const u32 intid = running[cpu].back();
        running[cpu].pop_back();
        rig.end(intid, cpu);
    };
    for (int n = 0; n < 8000; ++n) {
        const u32 cpu = random.below(setup.cpus);
        const u32 intid = random.below(kIntids);
        switch (random.below(8)) {
        case 0:
        case 1: {
            if (intid < 16) {
                rig.send_sgi(random.below(setup.cpus), cpu, intid);
                owed[key(cpu, intid)] = true;
                ++balance[key(cpu, intid)];
            } else if (is_edge[intid]) {
                if (random.below(2) != 0)
                    rig.pulse(intid, cpu);
                else
                    rig.inject(intid, cpu);
                owed[key(cpu, intid)] = true;
                ++balance[key(cpu, intid)];
            } else {
                const bool high = random.below(2) != 0;
                rig.set(intid, level_of(high), cpu);
                wire[key(cpu, intid)] = high;
            }
            break;
        }
        case 2:
            if (intid >= 32)
                rig.route(intid, cpu);
            break;
        case 3: rig.set_priority(intid, static_cast<u8>(8 * random.below(32) & 0xf0), cpu); break;
        case 4:
        case 5: take(cpu); break;
        default:
            if (!running[cpu].empty())
                end(cpu);
            break;
        }
        ASSERT_EQ(rig.violation(), nullptr) << rig.violation() << " at step " << n;
        ASSERT_FALSE(HasFailure()) << "at step " << n;
    }
    // Every level that is still high must come; then it is lowered.
    for (bool more = true; more;) {
        more = false;
        for (u32 cpu = 0; cpu < setup.cpus; ++cpu) {
            while (!running[cpu].empty())
                end(cpu);
            while (take(cpu)) {
                more = true;
                const u32 intid = running[cpu].back();
                if (intid >= 16 && !is_edge[intid]) {
                    rig.lower(intid, cpu);
                    wire[key(cpu, intid)] = false;
                }
                end(cpu);
            }
        }
    }
    for (const auto &[what, missing] : owed)
        EXPECT_FALSE(missing) << "INTID " << what.second << " never came to vCPU " << what.first;
    for (const auto &[what, high] : wire)
        EXPECT_FALSE(high) << "level INTID " << what.second << " never came to vCPU " << what.first;
    EXPECT_EQ(rig.violation(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Setups, GicInjecting,
                         testing::Values(Plan{GicVersion::v2, 1, 4, 1}, Plan{GicVersion::v2, 1, 1, 2},
                                         Plan{GicVersion::v2, 3, 4, 3}, Plan{GicVersion::v3, 1, 4, 4},
                                         Plan{GicVersion::v3, 4, 2, 5}, Plan{GicVersion::v3, 2, 16, 6}),
                         name_of);

} // namespace
} // namespace sel4vm::test
