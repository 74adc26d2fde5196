// SPDX-License-Identifier: BSD-2-Clause
//
// A GIC with two vCPUs that have two list registers each, and three interrupts: an SGI from each vCPU to the other, a private one that comes
// as an edge, and a shared level-triggered one that moves between the vCPUs. What a vCPU has to be told comes late, as it does from another
// CPU: a kick and a maintenance interrupt are steps of their own.
#include "explore.hpp"

#include <support/gic_reference.hpp>
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;

constexpr u32 kSgi = 1;
constexpr u32 kPrivate = 20;
constexpr u32 kShared = 40;
constexpr u32 kCpus = 2;

/// What is broken on purpose.
enum class Mutant : u8 {
    none,
    loses_kicks_of_moves, ///< who gets a shared interrupt that moves is not told
    forgets_second_sgi,   ///< an SGI to a vCPU that has acknowledged one is lost
    gives_twice,          ///< a shared interrupt that moves stays where it was, too
};

class GicSystem {
public:
    explicit GicSystem(GicVersion version, Mutant mutant)
        : rig_({version, kCpus, 32, ListRegisters::full(2)}), reference_(kCpus, 64), mutant_(mutant) {
        rig_.open();
        for (u32 cpu = 0; cpu < kCpus; ++cpu)
            rig_.arm(kSgi, 0x80, cpu);
        rig_.arm(kPrivate, 0x40, 0);
        rig_.make_edge(kPrivate, 0);
        rig_.arm(kShared, 0x60, 0);
        reference_.groups = 3;
        for (u32 cpu = 0; cpu < kCpus; ++cpu)
            set_up(reference_.at(cpu, kSgi), 0x80);
        set_up(reference_.at(0, kPrivate), 0x40);
        reference_.at(0, kPrivate).edge = true;
        set_up(reference_.at(0, kShared), 0x60);
        // Here everything happens at its own time.
        rig_.automatic = false;
        owed_ = rig_.take_wakes();
    }

    enum Step : usize { send, acknowledge = 2, end = 4, told = 6, maintain = 8, pulse = 10, wire, move, kSteps };
    [[nodiscard]] static usize steps() { return kSteps; }
    [[nodiscard]] static std::string name(usize step) {
        static constexpr const char *kNames[] = {
            "vCPU 0 sends the SGI",        "vCPU 1 sends the SGI",     "vCPU 0 acknowledges",   "vCPU 1 acknowledges",
            "vCPU 0 ends what it runs",    "vCPU 1 ends what it runs", "vCPU 0 takes its kick", "vCPU 1 takes its kick",
            "maintenance of vCPU 0",       "maintenance of vCPU 1",    "the private one comes", "the wire changes",
            "the shared one changes vCPUs"};
        return kNames[step];
    }
    [[nodiscard]] bool possible(usize step) {
        switch (step) {
        case end:
        case end + 1: return !reference_.running[step - end].empty();
        case told:
        case told + 1: return (owed_ >> (step - told) & 1) != 0;
        case maintain:
        case maintain + 1: return rig_.lists[step - maintain].maintenance_asserted();
        default: return true;
        }
    }
    void take(usize step) {
        const u32 cpu = step % 2; // of those that come in pairs
        switch (step) {
        case send:
        case send + 1: send_sgi(cpu, 1 - cpu); break;
        case acknowledge:
        case acknowledge + 1: take_one(cpu); break;
        case end:
        case end + 1: {
            const GicReference::Running ended = reference_.end(cpu);
            rig_.end(ended.intid, cpu, static_cast<u8>(ended.source));
            break;
        }
        case told:
        case told + 1:
            owed_ &= ~bit<u32>(cpu);
            rig_.sync(cpu);
            break;
        case maintain:
        case maintain + 1: rig_.core.delivery(cpu).maintain(); break;
        case pulse:
            sent_again(0, kPrivate);
            rig_.pulse(kPrivate, 0);
            reference_.set_wire(0, kPrivate, true);
            reference_.set_wire(0, kPrivate, false);
            break;
        case wire:
            high_ = !high_;
            rig_.set(kShared, level_of(high_), 0);
            reference_.set_wire(0, kShared, high_);
            break;
        case move: move_shared(); break;
        default: break;
        }
        owed_ |= rig_.take_wakes();
        if (step >= told && step < maintain + 2)
            look_again(cpu);
    }

    [[nodiscard]] std::string state() {
        std::string bytes;
        const auto add = [&](u32 value) { bytes.push_back(static_cast<char>(value)); };
        add(owed_);
        add(high_);
        add(target_);
        for (u32 cpu = 0; cpu < kCpus; ++cpu) {
            add(reference_.at(cpu, kSgi).senders);
            add(static_cast<u32>(reference_.at(cpu, kSgi).active_on));
            for (const GicReference::Running &each : reference_.running[cpu])
                add(each.intid);
            add(0xff);
            add(again_[cpu][0] ? 1 : 0);
            add(again_[cpu][1] ? 1 : 0);
            for (unsigned n = 0; n < 2; ++n) {
                const aarch64::ListRegister &one = rig_.lists[cpu].at(n);
                add(static_cast<u32>(one.state));
                add(one.state == aarch64::ListRegisterState::empty ? 0 : one.intid);
            }
            add(rig_.lists[cpu].maintenance_causes());
        }
        add(reference_.at(0, kPrivate).latch);
        add(static_cast<u32>(reference_.at(0, kPrivate).active_on));
        add(static_cast<u32>(reference_.at(0, kShared).active_on));
        return bytes;
    }
    [[nodiscard]] std::string wrong() {
        if (wrong_.empty() && rig_.violation() != nullptr)
            wrong_ = rig_.violation();
        return wrong_;
    }

    /// Everybody hears of everything, and serves what there is.
    [[nodiscard]] std::string left_behind() {
        for (unsigned round = 0; round < 100 && wrong().empty(); ++round) {
            if (high_ && reference_.at(0, kShared).active_on >= 0)
                take(wire); // as a device whose handler has run
            bool quiet = true;
            for (u32 cpu = 0; cpu < kCpus; ++cpu) {
                for (const usize step : {told + cpu, maintain + cpu, end + cpu}) {
                    if (possible(step)) {
                        take(step);
                        quiet = false;
                    }
                }
                if (rig_.lists[cpu].signalled()) {
                    take(acknowledge + cpu);
                    quiet = false;
                }
            }
            if (quiet)
                return wrong().empty() ? pending_still() : wrong();
        }
        return wrong().empty() ? "it does not come to rest" : wrong();
    }

private:
    /// The vCPU has heard of all; what is nowhere does not wait either while a list register is free.
    void look_again(u32 cpu) {
        if (rig_.lists[cpu].in_use() == 2)
            return;
        for (const u32 intid : {kSgi, kPrivate}) {
            const GicReference::Irq &irq = reference_.at(cpu, intid);
            if (!irq.pending() && irq.active_on < 0 && !is_listed(cpu, intid))
                again_[cpu][intid == kSgi] = false; // it was one
        }
    }
    [[nodiscard]] bool is_listed(u32 cpu, u32 intid) const {
        for (unsigned n = 0; n < 2; ++n) {
            const aarch64::ListRegister &one = rig_.lists[cpu].at(n);
            if (one.intid == intid && dev::has_pending(one.state))
                return true;
        }
        return false;
    }
    static void set_up(GicReference::Irq &irq, u8 priority) {
        irq.enabled = true;
        irq.priority = priority;
    }
    void send_sgi(u32 from, u32 to) {
        if (mutant_ == Mutant::forgets_second_sgi && reference_.at(to, kSgi).active_on >= 0)
            return void(reference_.at(to, kSgi).senders |= sender(from));
        sent_again(to, kSgi);
        rig_.send_sgi(from, to, kSgi);
        reference_.at(to, kSgi).senders |= sender(from);
    }
    /// One that is sent while it waits already is one with the first, or, when the vCPU acknowledges that before it hears of the second,
    /// another: who sends cannot see into the other's list registers. It never comes more often than it was sent.
    void sent_again(u32 cpu, u32 intid) { again_[cpu][intid == kSgi] |= reference_.at(cpu, intid).pending(); }
    /// GICv3 has no senders.
    [[nodiscard]] u32 sender(u32 cpu) const { return rig_.v2() ? 1u << cpu : 1u; }
    void move_shared() {
        if (mutant_ == Mutant::gives_twice && high_ && reference_.at(0, kShared).active_on < 0)
            given_ = target_;
        target_ = 1 - target_;
        rig_.route(kShared, target_);
        reference_.at(0, kShared).targets = 1u << target_;
        if (mutant_ == Mutant::loses_kicks_of_moves)
            static_cast<void>(rig_.take_wakes());
    }
    void take_one(u32 cpu) {
        std::optional<ListRegisters::Acknowledged> taken = rig_.acknowledge(cpu);
        if (!taken && given_ == cpu)
            taken = {kShared, 0, 0x60};
        if (!taken)
            return;
        GicReference::Irq &irq = reference_.at(cpu, taken->intid);
        if (irq.active_on >= 0)
            wrong_ = "interrupt " + std::to_string(taken->intid) + " is given to vCPU " + std::to_string(cpu) +
                     " while it is active on vCPU " + std::to_string(irq.active_on);
        // Of a level the end may be heard of late; an edge or an SGI comes once.
        else if (taken->intid != kShared && !irq.pending() && !std::exchange(again_[cpu][taken->intid == kSgi], false))
            wrong_ = "interrupt " + std::to_string(taken->intid) + " is given to vCPU " + std::to_string(cpu) +
                     " once too often";
        reference_.acknowledged(cpu, taken->intid, taken->source);
    }
    [[nodiscard]] std::string pending_still() {
        for (u32 cpu = 0; cpu < kCpus; ++cpu) {
            for (const u32 intid : {kSgi, kPrivate, kShared}) {
                if (reference_.deliverable(cpu, intid))
                    return "interrupt " + std::to_string(intid) + " never comes to vCPU " + std::to_string(cpu);
            }
        }
        return {};
    }

    GicRig rig_;
    GicReference reference_;
    Mutant mutant_;
    u32 owed_ = 0;   ///< kicks on their way, a bit for each vCPU
    u32 target_ = 0; ///< of the shared one
    u32 given_ = ~u32{0};
    bool high_ = false;
    bool again_[kCpus][2] = {}; ///< the private one, the SGI
    std::string wrong_;
};

constexpr usize kShort = 3000;

class GicExplored : public testing::TestWithParam<GicVersion> {
protected:
    [[nodiscard]] static Explored search(Mutant mutant = Mutant::none) {
        const char *what = GetParam() == GicVersion::v2 ? "GICv2" : "GICv3";
        return explore(
            what, [&] { return std::make_unique<GicSystem>(GetParam(), mutant); }, state_limit(kShort));
    }
};

TEST_P(GicExplored, LosesNothingAndGivesNothingTwice) {
    const Explored found = search();
    EXPECT_EQ(found.violation, "");
    EXPECT_TRUE(found.all || found.states == state_limit(kShort));
}

TEST_P(GicExplored, AMoveThatIsNotToldIsFound) { EXPECT_NE(search(Mutant::loses_kicks_of_moves).violation, ""); }
TEST_P(GicExplored, ALostSecondSgiIsFound) { EXPECT_NE(search(Mutant::forgets_second_sgi).violation, ""); }
TEST_P(GicExplored, OneThatIsGivenTwiceIsFound) { EXPECT_NE(search(Mutant::gives_twice).violation, ""); }

INSTANTIATE_TEST_SUITE_P(Versions, GicExplored, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &its) { return its.param == GicVersion::v2 ? "v2" : "v3"; });

} // namespace
} // namespace sel4vm::test
