// SPDX-License-Identifier: BSD-2-Clause
//
// What a run recorded is enough to repeat the core's part of it: another machine of the same description, given the same
// events, registers and time, answers the same.
#include <support/exit_stream.hpp>
#include <support/machine_rig.hpp>

#include <algorithm>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <sel4vm/arch/aarch64/hypercall.hpp>

namespace sel4vm {
namespace {

using test::EventSource;
using test::MachineRig;
using test::Recorded;

machine::MachineDescription describe_machine(unsigned shape) {
    return test::small_machine((shape & 1) != 0 ? machine::GicVersion::v2 : machine::GicVersion::v3, 1 + shape / 2 % 4);
}

/// PSCI calls that stop or restart vCPUs: rare, or a run would be short.
bool ends(const Exit &exit) {
    constexpr u64 kCalls[] = {1, 2, 8, 9, 0xd, 0xe, 0x12};
    return exit.kind == ExitKind::hypercall &&
           std::find(std::begin(kCalls), std::end(kCalls), exit.hypercall.function & 0xff) != std::end(kCalls);
}

/// Thousands of random exits of every kind, on every vCPU, with time passing in between.
std::vector<Recorded> record_run(unsigned shape) {
    MachineRig rig(describe_machine(shape));
    rig.events.fire_timeouts(true);
    EXPECT_TRUE(rig.start());
    constexpr u64 kCpuOn = 0xc400'0003;
    for (u16 vcpu = 1; vcpu < rig.vcpus.size(); ++vcpu) {
        rig.vcpus[0].set_general_register(1, vcpu);
        rig.vcpus[0].set_general_register(2, 0x4000'0000);
        rig.deliver(Exit{aarch64::hypercall(kCpuOn, 0, aarch64::Conduit::hvc)});
        EXPECT_EQ(rig.vcpus[vcpu].state(), fake::Vcpu::State::runnable);
    }
    std::mt19937 random(shape);
    std::vector<u8> bytes(20'000);
    for (u8 &byte : bytes)
        byte = static_cast<u8>(random());
    test::Input input(bytes);
    while (!input.empty() && rig.machine->vm().state() != VmState::stopped) {
        const u16 vcpu = static_cast<u16>(input.number(1) % rig.vcpus.size());
        for (unsigned n = 0; n < 4; ++n)
            rig.vcpus[vcpu].set_general_register(n, input.number(2));
        rig.clock.advance(input.number(2));
        const Exit exit = test::make_exit(input);
        if (rig.vcpus[vcpu].state() == fake::Vcpu::State::stopped || (ends(exit) && input.number(2) > 64))
            continue;
        rig.deliver(exit, vcpu);
        // Nothing waits for ever here.
        if (exit.kind == ExitKind::wait || exit.kind == ExitKind::hypercall)
            rig.vcpus[vcpu].kick();
    }
    return rig.recording.run; // without the last event, which has no answer yet
}

void replay_run(MachineRig &rig, std::span<const Recorded> run) {
    ASSERT_TRUE(rig.start());
    rig.replay.load(run);
    while (!rig.replay.at_end() && rig.machine->vm().state() != VmState::stopped)
        static_cast<void>(rig.executor.step());
}

TEST(Replay, GivesTheSameAnswersToTheSameEvents) {
    usize events = 0;
    for (unsigned shape = 0; shape < 32; ++shape) {
        const std::vector<Recorded> run = record_run(shape);
        events += run.size();
        MachineRig rig(describe_machine(shape), fake::ListRegisters::full(), {std::vector<u8>(kPageBytes, u8{0x11})},
                       EventSource::recording);
        replay_run(rig, run);
        EXPECT_EQ(rig.replay.difference(), "") << "shape " << shape;
        EXPECT_GE(rig.replay.compared() + 1, run.size());
    }
    EXPECT_GT(events, 10'000u);
}

TEST(Replay, NoticesADifferentAnswer) {
    std::vector<Recorded> run = record_run(0);
    const Answer wrong = Answer::complete(0x1234'5678'9abc);
    run[2].record.answer = wrong;
    MachineRig rig(describe_machine(0), fake::ListRegisters::full(), {std::vector<u8>(kPageBytes, u8{0x11})},
                   EventSource::recording);
    replay_run(rig, run);
    EXPECT_NE(rig.replay.difference().find("-> complete 0x123456789abc\nnow: "), std::string::npos)
        << rig.replay.difference();
}

} // namespace
} // namespace sel4vm
