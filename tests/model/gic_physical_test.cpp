// SPDX-License-Identifier: BSD-2-Clause
//
// Interrupts of the hardware that a guest has as its own: the physical one follows what the guest does with its own, is active from when it came
// until the guest's ends, and comes again for a device that still asks.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>
#include <random>

namespace sel4vm::test {
namespace {

using aarch64::PhysicalTrigger;
using dev::GicVersion;
using fake::ListRegisters;

constexpr u32 kIntid = 40;

/// One shared interrupt of a physical GIC, and the device on it.
struct Hardware final : aarch64::PhysicalIrqPort, aarch64::PhysicalIrqSink {
    void connect(u32 intid, PhysicalTrigger how, PhysicalIrqSink &) override {
        EXPECT_EQ(intid, kIntid);
        trigger = how;
        connected = true;
    }
    void enable(u32) override { enabled = true; }
    void disable(u32) override { enabled = false; }
    void set_trigger(u32, PhysicalTrigger how) override {
        EXPECT_FALSE(enabled);
        trigger = how;
    }
    void route(u32, VcpuId vcpu) override { target = vcpu.value(); }
    void end(u32) override {
        active = false;
        ++ends;
    }
    void physical_irq(u32) override {}

    void set(bool high) {
        latched = latched || (high && !line);
        line = high;
    }
    void pulse() {
        set(true);
        set(false);
    }
    [[nodiscard]] bool pending() const { return trigger == PhysicalTrigger::level ? line : latched; }
    [[nodiscard]] bool take() {
        if (!enabled || active || !pending())
            return false;
        latched = false;
        active = true;
        ++taken;
        return true;
    }

    PhysicalTrigger trigger = PhysicalTrigger::level;
    bool connected = false;
    bool line = false;
    bool latched = false;
    bool enabled = false;
    bool active = false;
    u16 target = 0xff;
    unsigned taken = 0;
    unsigned ends = 0;
};

struct Machine {
    Machine(GicVersion version, const ListRegisters::Abilities &abilities, Trigger trigger)
        : rig({version, 2, 64, abilities}) {
        SEL4VM_ASSERT(rig.core.irqs().connect_physical(rig.allocator, kIntid, trigger, hardware, hardware));
        rig.open();
        rig.set_priority(kIntid, 0x80);
        rig.route(kIntid, 0);
    }
    /// What comes is told to the vCPU that executes, or to nobody in particular.
    void settle() {
        for (int round = 0; round < 8; ++round) {
            rig.settle();
            if (!hardware.take())
                return;
            if (at_vcpu)
                rig.core.delivery(hardware.target).physical_fired(kIntid);
            else
                rig.core.irqs().take_physical(kIntid);
        }
        ADD_FAILURE() << "a storm";
    }
    void enable() {
        rig.write_bit(gicd::kIsenabler, kIntid);
        settle();
    }
    void disable() {
        rig.write_bit(gicd::kIcenabler, kIntid);
        settle();
    }
    void set(bool high) {
        hardware.set(high);
        settle();
    }
    [[nodiscard]] bool take(u32 cpu = 0) { return rig.take(cpu) == kIntid; }
    void end(u32 cpu = 0) {
        rig.lists[cpu].end(kIntid);
        if (rig.lists[cpu].take_ended_physical() == kIntid)
            hardware.active = false;
        settle();
    }

    Hardware hardware;
    GicRig rig;
    bool at_vcpu = true;
};

struct Setting {
    const char *name;
    GicVersion version;
    ListRegisters::Abilities abilities;
    bool links;
    bool at_vcpu;
};

ListRegisters::Abilities unlinked() {
    auto abilities = ListRegisters::full();
    abilities.hardware_link = false;
    return abilities;
}

class GicPhysical : public testing::TestWithParam<Setting> {
protected:
    [[nodiscard]] static std::unique_ptr<Machine> make(Trigger trigger = Trigger::level) {
        auto machine = std::make_unique<Machine>(GetParam().version, GetParam().abilities, trigger);
        machine->at_vcpu = GetParam().at_vcpu;
        return machine;
    }
    /// Only then can the guest's register writes reach what is listed.
    [[nodiscard]] static bool rewrites() { return GetParam().abilities.clear; }
};

std::vector<Setting> rewriting_hosts() {
    return {{"linked_v3", GicVersion::v3, ListRegisters::full(), true, true},
            {"linked_v3_elsewhere", GicVersion::v3, ListRegisters::full(), true, false},
            {"unlinked_v2", GicVersion::v2, unlinked(), false, true},
            {"unlinked_v2_elsewhere", GicVersion::v2, unlinked(), false, false}};
}
std::vector<Setting> all_hosts() {
    auto hosts = rewriting_hosts();
    hosts.push_back({"injecting_v2", GicVersion::v2, ListRegisters::injection_only(), false, false});
    return hosts;
}
const auto name_of = [](const auto &which) { return which.param.name; };
INSTANTIATE_TEST_SUITE_P(Hosts, GicPhysical, testing::ValuesIn(all_hosts()), name_of);

/// Where the guest's register writes reach what is in a list register.
class GicPhysicalRewriting : public GicPhysical {};
INSTANTIATE_TEST_SUITE_P(Hosts, GicPhysicalRewriting, testing::ValuesIn(rewriting_hosts()), name_of);

TEST_P(GicPhysical, ALevelComesAgainAfterItsEndWhileTheDeviceAsks) {
    const auto m = make();
    m->set(true);
    EXPECT_EQ(m->hardware.taken, 0u) << "the guest has not enabled it";
    m->enable();
    EXPECT_EQ(m->hardware.taken, 1u);
    ASSERT_TRUE(m->take());
    m->settle();
    EXPECT_EQ(m->hardware.taken, 1u) << "not before the end";
    m->end();
    EXPECT_EQ(m->hardware.taken, 2u);
    ASSERT_TRUE(m->take());
    m->set(false);
    m->end();
    EXPECT_FALSE(m->take());
    EXPECT_FALSE(m->hardware.active);
    EXPECT_EQ(m->hardware.taken, 2u);
}

TEST_P(GicPhysical, TheGuestsEndIsTheHardwaresWhereItIsLinked) {
    const auto m = make();
    m->enable();
    for (int i = 0; i < 3; ++i) {
        m->set(true);
        ASSERT_TRUE(m->take());
        m->set(false);
        m->end();
        EXPECT_FALSE(m->hardware.active);
    }
    EXPECT_EQ(m->hardware.ends, GetParam().links ? 0u : 3u);
    EXPECT_EQ(m->hardware.taken, 3u);
}

TEST_P(GicPhysical, EdgesDuringTheHandlerAreOneMore) {
    const auto m = make(Trigger::edge);
    EXPECT_EQ(m->hardware.trigger, PhysicalTrigger::edge);
    m->enable();
    m->hardware.pulse();
    m->settle();
    ASSERT_TRUE(m->take());
    m->hardware.pulse();
    m->hardware.pulse();
    m->settle();
    EXPECT_EQ(m->hardware.taken, 1u);
    m->end();
    ASSERT_TRUE(m->take());
    m->end();
    EXPECT_FALSE(m->take());
    EXPECT_FALSE(m->hardware.active);
}

TEST_P(GicPhysicalRewriting, WhatTheGuestMasksTheHardwareHoldsBack) {
    const auto m = make();
    m->enable();
    m->set(true);
    m->disable();
    EXPECT_FALSE(m->take());
    EXPECT_FALSE(m->hardware.enabled);
    EXPECT_FALSE(m->hardware.active);
    m->set(false);
    m->enable();
    EXPECT_FALSE(m->take()) << "the device no longer asks";
    m->set(true);
    EXPECT_TRUE(m->take());
}

TEST_P(GicPhysical, MaskedInItsHandlerItWaitsInTheHardware) {
    const auto m = make();
    m->enable();
    m->set(true);
    ASSERT_TRUE(m->take());
    m->disable();
    m->end();
    EXPECT_EQ(m->hardware.taken, 1u);
    EXPECT_FALSE(m->hardware.active);
    m->set(false);
    m->enable();
    EXPECT_FALSE(m->take());
    EXPECT_EQ(m->hardware.taken, 1u);
}

TEST_P(GicPhysicalRewriting, AnEdgeThatIsMaskedIsKept) {
    const auto m = make(Trigger::edge);
    m->enable();
    m->hardware.pulse();
    m->settle();
    m->disable();
    EXPECT_FALSE(m->hardware.active);
    m->hardware.pulse();
    m->settle();
    EXPECT_FALSE(m->take());
    m->enable();
    ASSERT_TRUE(m->take());
    m->end();
    EXPECT_LE(m->hardware.taken, 2u);
    while (m->take())
        m->end();
    EXPECT_FALSE(m->hardware.active);
}

TEST_P(GicPhysicalRewriting, AnEdgeThatTheGuestClearsFreesTheHardware) {
    const auto m = make(Trigger::edge);
    m->enable();
    m->hardware.pulse();
    m->settle();
    m->rig.write_bit(gicd::kIcpendr, kIntid);
    m->settle();
    EXPECT_FALSE(m->take());
    EXPECT_FALSE(m->hardware.active);
    m->hardware.pulse();
    m->settle();
    EXPECT_TRUE(m->take());
}

TEST_P(GicPhysical, WhatTheGuestPendsByItselfEndsWithoutTheHardware) {
    const auto m = make(Trigger::edge);
    m->enable();
    m->rig.write_bit(gicd::kIspendr, kIntid);
    m->settle();
    ASSERT_TRUE(m->take());
    m->end();
    EXPECT_EQ(m->hardware.ends, 0u);
    EXPECT_EQ(m->hardware.taken, 0u);
}

TEST_P(GicPhysicalRewriting, AnEndByTheActiveRegisterIsTheHardwaresToo) {
    const auto m = make();
    m->enable();
    m->set(true);
    ASSERT_TRUE(m->take());
    m->set(false);
    m->rig.lists[0].clear_active_priorities();
    m->rig.write_bit(gicd::kIcactiver, kIntid);
    m->settle();
    EXPECT_FALSE(m->hardware.active);
    EXPECT_FALSE(m->take());
    m->set(true);
    EXPECT_TRUE(m->take());
}

TEST_P(GicPhysical, ItComesToTheCpuOfItsTarget) {
    const auto m = make();
    m->enable();
    EXPECT_EQ(m->hardware.target, 0u);
    m->rig.route(kIntid, 1);
    EXPECT_EQ(m->hardware.target, 1u);
    m->set(true);
    ASSERT_TRUE(m->take(1));
    m->rig.route(kIntid, 0);
    m->settle();
    EXPECT_EQ(m->hardware.target, 0u);
    EXPECT_EQ(m->hardware.taken, 1u) << "active still";
    m->end(1);
    EXPECT_TRUE(m->take(0)) << "the device still asks";
}

TEST_P(GicPhysical, TheTriggerIsTheGuests) {
    const auto m = make();
    m->rig.make_edge(kIntid);
    EXPECT_EQ(m->hardware.trigger, PhysicalTrigger::edge);
    m->enable();
    m->hardware.pulse();
    m->settle();
    EXPECT_TRUE(m->take());
}

TEST_P(GicPhysical, AResetQuietsIt) {
    const auto m = make(Trigger::edge);
    m->enable();
    m->hardware.pulse();
    m->settle();
    m->rig.core.reset();
    EXPECT_FALSE(m->hardware.enabled);
    EXPECT_FALSE(m->hardware.active);
    m->hardware.pulse();
    EXPECT_FALSE(m->hardware.take());
    m->hardware.latched = false;
    if (!rewrites())
        return; // its list register is busy for good
    m->rig.turn_on(0);
    m->rig.open();
    m->rig.route(kIntid, 0);
    m->rig.set_priority(kIntid, 0x80);
    EXPECT_TRUE(m->rig.read(gicd::kIcfgr + 4 * (kIntid / 16)) >> (2 * (kIntid % 16) + 1) & 1) << "as it is wired";
    m->enable();
    m->hardware.pulse();
    m->settle();
    EXPECT_TRUE(m->take());
}

TEST_P(GicPhysical, AStopQuietsIt) {
    const auto m = make();
    m->enable();
    m->set(true);
    m->rig.core.irqs().release_physical();
    EXPECT_FALSE(m->hardware.enabled);
    EXPECT_FALSE(m->hardware.active);
}

/// Whatever the guest does: nothing is lost, and nothing stays active.
TEST_P(GicPhysical, NothingIsLostOrLeftActive) {
    for (const Trigger trigger : {Trigger::level, Trigger::edge}) {
        for (u32 seed = 0; seed < 400; ++seed) {
            const auto m = make(trigger);
            m->enable();
            std::mt19937 random(seed);
            std::array<bool, 2> running{};
            for (int step = 0; step < 60; ++step) {
                const u32 cpu = random() % 2;
                switch (random() % 10) {
                case 0: m->set(true); break;
                case 1: m->set(false); break;
                case 2: m->enable(); break;
                case 3: m->disable(); break;
                case 4: m->rig.route(kIntid, cpu); break;
                case 5:
                    if (rewrites())
                        m->rig.write_bit(gicd::kIspendr, kIntid);
                    break;
                case 6: m->at_vcpu = !m->at_vcpu && GetParam().at_vcpu; break;
                case 7: m->rig.sync(cpu); break;
                default:
                    if (running[cpu]) {
                        m->end(cpu);
                        running[cpu] = false;
                    } else if (!running[1 - cpu]) {
                        running[cpu] = m->take(cpu);
                    }
                }
                m->settle();
                ASSERT_EQ(m->rig.lists[0].violation(), nullptr) << seed;
                ASSERT_FALSE(m->hardware.active && m->hardware.enabled && m->rig.core.irqs().pending(0, 1) == 0 &&
                             m->rig.core.irqs().word(0, 1).active == 0 && !running[0] && !running[1] &&
                             m->rig.core.irqs().word(0, 1).listed == 0)
                    << "it is active for nobody, seed " << seed << " step " << step;
            }
            // The guest comes to rest, the device asks once more: it is heard.
            m->enable();
            for (int round = 0; round < 10; ++round) {
                for (u32 cpu = 0; cpu < 2; ++cpu) {
                    if (running[cpu] || m->take(cpu))
                        m->end(cpu);
                    running[cpu] = false;
                }
                m->set(false);
            }
            EXPECT_FALSE(m->hardware.active) << seed;
            m->set(true);
            ASSERT_TRUE(m->take(0) || m->take(1)) << seed;
        }
    }
}

} // namespace
} // namespace sel4vm::test
