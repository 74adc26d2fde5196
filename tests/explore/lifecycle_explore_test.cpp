// SPDX-License-Identifier: BSD-2-Clause
//
// The lifecycle of a VM with two vCPUs: a client that asks for whatever it likes, a guest that turns vCPUs on and off and resets itself, a boot
// in two steps, and executors that are as late as they like: that an answer is applied, a stopped vCPU is marked, and the VM is settled are
// steps of their own. Nobody settles it but after a vCPU was marked or had a turn.
#include "explore.hpp"

#include <support/vm_fixture.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace sel4vm::test {
namespace {

enum : u32 { cpu_off = 1, cpu_on = 2, restart = 3 };

struct Power final : HypercallHandler {
    Answer call(Vcpu &vcpu, const HypercallExit &exit) override {
        Vm &vm = vcpu.vm();
        switch (static_cast<u32>(exit.function)) {
        case cpu_off: return vm.power_off(vcpu);
        case cpu_on:
            static_cast<void>(vm.power_on(vm.vcpu(VcpuId{static_cast<u16>(1 - vcpu.id().value())}), {0x4000'1000, 9}));
            break;
        default: vm.guest_requested_reset(); break;
        }
        return Answer::complete();
    }
};

/// What is broken on purpose.
enum class Mutant : u8 {
    none,
    loses_a_kick,   ///< of a vCPU that waits
    never_marks,    ///< a vCPU that turned itself off is not marked as stopped
    forgets_resume, ///< one vCPU's port is not told to go on
    loses_a_turn,   ///< of a VM that nothing runs of
};

constexpr u16 kVcpus = 2;

class Lifecycle {
public:
    explicit Lifecycle(Mutant mutant) : mutant_(mutant) {
        SEL4VM_ASSERT(f_.vm.hypercalls().add(cpu_off, restart, power_));
        f_.hooks.more_steps = 1;
    }

    enum Step : usize {
        start,
        pause,
        resume,
        reset,
        stop,
        settle,
        turn,
        kick,
        wait = 9,
        off = 11,
        on = 13,
        again = 15,
        mark = 17,
        kSteps = 19
    };
    [[nodiscard]] static usize steps() { return kSteps; }
    [[nodiscard]] static std::string name(usize step) {
        static constexpr const char *kAlone[] = {"start()", "pause()",  "resume()", "reset()",
                                                 "stop()",  "settle()", "a turn"};
        static constexpr const char *kOfVcpus[] = {"takes its kick",     "waits",         "turns itself off",
                                                   "turns the other on", "resets the VM", "is marked as stopped"};
        if (step < kick)
            return kAlone[step];
        return "vCPU " + std::to_string((step - kick) % kVcpus) + ' ' + kOfVcpus[(step - kick) / kVcpus];
    }
    [[nodiscard]] bool possible(usize step) {
        if (step == settle)
            return settles_;
        if (step < turn)
            return true;
        if (step == turn)
            return f_.ports[0].turn_wanted();
        const usize n = (step - kick) % kVcpus;
        if (step >= mark)
            return is_stopping_[n];
        const bool runs = f_.ports[n].state() == fake::Vcpu::State::runnable;
        return runs && f_.ports[n].kicked() == (step < wait);
    }
    void take(usize step) {
        const std::array<fake::Vcpu::State, kVcpus> before{f_.ports[0].state(), f_.ports[1].state()};
        const u16 n = static_cast<u16>((step - kick) % kVcpus);
        switch (step) {
        case start: static_cast<void>(f_.vm.start()); break;
        case pause: static_cast<void>(f_.vm.pause()); break;
        case resume: static_cast<void>(f_.vm.resume()); break;
        case reset: static_cast<void>(f_.vm.reset()); break;
        case stop: f_.vm.stop(StopReason::client); break;
        case settle:
            settles_ = false;
            static_cast<void>(f_.vm.settle());
            break;
        case turn:
            if (f_.ports[0].take_turn())
                f_.vm.turn();
            settles_ = true;
            break;
        case kick:
        case kick + 1:
            static_cast<void>(f_.ports[n].take_kick());
            exits(Exit{ExitKind::kicked}, n);
            break;
        case wait:
        case wait + 1: exits(wait_exit(), n); break;
        case off:
        case off + 1: exits(hypercall_exit(cpu_off), n); break;
        case on:
        case on + 1: exits(hypercall_exit(cpu_on), n); break;
        case again:
        case again + 1: exits(hypercall_exit(restart), n); break;
        default:
            is_stopping_[n] = false;
            if (mutant_ != Mutant::never_marks || f_.vcpu(n).power_state() != PowerState::off_pending)
                f_.vm.parked(f_.vcpu(n));
            settles_ = true;
            break;
        }
        break_something(before);
    }

    [[nodiscard]] std::string state() {
        std::string bytes;
        const auto add = [&](u64 value) { bytes.push_back(static_cast<char>(value)); };
        add(static_cast<u64>(f_.vm.state()));
        add(static_cast<u64>(f_.hooks.steps_left));
        add(settles_ ? 1 : 0);
        for (u16 n = 0; n < kVcpus; ++n) {
            const Vcpu &vcpu = f_.vcpu(n);
            const fake::Vcpu &port = f_.ports[n];
            add(static_cast<u64>(vcpu.power_state()));
            add(static_cast<u64>(port.state()));
            add((vcpu.is_parked() ? 1u : 0u) | (vcpu.sync_requested() ? 2u : 0u) | (port.kicked() ? 4u : 0u) |
                (port.turn_wanted() ? 8u : 0u) | (is_stopping_[n] ? 16u : 0u));
        }
        return bytes;
    }
    [[nodiscard]] std::string wrong() {
        const VmState now = f_.vm.state();
        for (u16 n = 0; n < kVcpus; ++n) {
            const std::string who = "vCPU " + std::to_string(n);
            const bool stopped = f_.ports[n].state() == fake::Vcpu::State::stopped;
            if (f_.vcpu(n).is_parked() && !stopped)
                return who + " runs and counts as stopped";
            if ((now == VmState::paused || now == VmState::stopped || now == VmState::built) && !f_.vcpu(n).is_parked())
                return who + " is not stopped in a VM that is";
            if (f_.vcpu(n).power_state() == PowerState::on && now == VmState::running && stopped && !is_stopping_[n])
                return who + " stands still in a VM that runs";
        }
        return {};
    }
    /// The executors do all that there is to do, and nobody asks for more.
    [[nodiscard]] std::string left_behind() {
        for (unsigned round = 0; round < 50 && wrong().empty(); ++round) {
            const std::string before = state();
            for (const usize step :
                 {usize{turn}, usize{kick}, kick + usize{1}, usize{mark}, mark + usize{1}, usize{settle}}) {
                if (possible(step))
                    take(step);
            }
            if (state() != before)
                continue;
            const VmState now = f_.vm.state();
            if (now == VmState::built || now == VmState::running || now == VmState::paused || now == VmState::stopped)
                return wrong();
            return std::string("it is ") + to_string(now) + " for ever";
        }
        return wrong().empty() ? "it does not come to rest" : wrong();
    }

private:
    void exits(const Exit &exit, u16 n) {
        const Answer answer = f_.handle(exit, n);
        if (answer.next() == Next::stop) {
            f_.ports[n].set_state(fake::Vcpu::State::stopped);
            is_stopping_[n] = true;
        } else if (answer.next() == Next::block && !f_.ports[n].kicked()) {
            f_.ports[n].set_state(fake::Vcpu::State::blocked);
        }
    }
    void break_something(const std::array<fake::Vcpu::State, kVcpus> &before) {
        fake::Vcpu &port = f_.ports[1];
        if (mutant_ == Mutant::loses_a_kick && before[1] == fake::Vcpu::State::blocked && port.take_kick())
            port.set_state(before[1]);
        if (mutant_ == Mutant::forgets_resume && before[1] == fake::Vcpu::State::stopped)
            port.set_state(before[1]);
        if (mutant_ == Mutant::loses_a_turn && f_.vm.state() == VmState::resetting)
            static_cast<void>(f_.ports[0].take_turn());
    }

    Mutant mutant_;
    Power power_;
    VmFixture f_{kVcpus};
    bool settles_ = false;                   ///< an executor has had a turn, or marked a vCPU, and settles next
    std::array<bool, kVcpus> is_stopping_{}; ///< stopped at its port, and not marked yet
};

constexpr usize kShort = 4000;

Explored search(Mutant mutant = Mutant::none) {
    return explore(
        "lifecycle", [&] { return std::make_unique<Lifecycle>(mutant); }, state_limit(kShort));
}

TEST(LifecycleExplored, EveryRequestIsCarriedOut) {
    const Explored found = search();
    EXPECT_EQ(found.violation, "");
    EXPECT_TRUE(found.all || found.states == state_limit(kShort));
}

TEST(LifecycleExplored, ALostKickIsFound) { EXPECT_NE(search(Mutant::loses_a_kick).violation, ""); }
TEST(LifecycleExplored, OneThatIsNeverMarkedIsFound) { EXPECT_NE(search(Mutant::never_marks).violation, ""); }
TEST(LifecycleExplored, ALostTurnIsFound) { EXPECT_NE(search(Mutant::loses_a_turn).violation, ""); }
TEST(LifecycleExplored, AForgottenResumeIsFound) { EXPECT_NE(search(Mutant::forgets_resume).violation, ""); }

} // namespace
} // namespace sel4vm::test
