// SPDX-License-Identifier: BSD-2-Clause
//
// The `virt` machine on a host that has an interrupt controller, timers and PSCI of its own, as kernels have: what it then needs no port for, and
// what it leaves alone.
#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/heap_allocator.hpp>
#include <hosts/fake/services.hpp>
#include <hosts/fake/vcpu.hpp>
#include <hosts/fake/virtual_timer.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/machine/arm/virt_machine.hpp>
#include <support/machine_rig.hpp>
#include <support/manual_timeouts.hpp>
#include <support/recording_irqs.hpp>

#include <gtest/gtest.h>

namespace sel4vm::machine {
namespace {

constexpr u16 kVcpus = 2;
constexpr u32 kUartIntid = 33;

struct HostParts : testing::Test {
    HostParts() {
        for (fake::Vcpu &vcpu : vcpus)
            ports.push_back({&vcpu, nullptr, nullptr});
    }
    [[nodiscard]] HostSide side() {
        HostSide host{.id = VmId{0},
                      .space = space,
                      .vcpus = ports,
                      .allocator = allocator,
                      .log = log,
                      .clock = clock,
                      .entropy = entropy,
                      .timeouts = timeouts.queue(),
                      .console = &console};
        host.parts = {.irq_router = &irqs, .physical_timer = true};
        host.started_vcpus = StartedVcpus::all;
        return host;
    }
    [[nodiscard]] VirtMachine &make(const HostSide &host) {
        for (fake::Vcpu &vcpu : vcpus)
            vcpu.set_state(fake::Vcpu::State::stopped);
        machine = std::make_unique<VirtMachine>(description, blobs, host);
        return *machine;
    }
    [[nodiscard]] bool start() { return make(side()).build() && machine->vm().start(); }
    [[nodiscard]] Vm &vm() { return machine->vm(); }
    Answer handle(u16 vcpu, const Exit &exit) { return vm().handle(vm().vcpu(VcpuId{vcpu}), exit); }
    /// Every vCPU leaves the guest, as after a kick, and does what its VM asks.
    void let_all_leave() {
        for (u16 n = 0; n < kVcpus; ++n) {
            const Answer answer = handle(n, Exit{ExitKind::kicked});
            if (answer.next() == Next::stop) {
                vcpus[n].set_state(fake::Vcpu::State::stopped);
                vm().parked(vm().vcpu(VcpuId{n}));
            }
        }
        static_cast<void>(vm().settle());
    }

    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    fake::Log log;
    fake::Clock clock;
    fake::Entropy entropy;
    fake::ByteSink console;
    test::ManualTimeouts timeouts{clock};
    test::RecordingIrqs irqs;
    std::array<fake::Vcpu, kVcpus> vcpus;
    std::vector<aarch64::VcpuPorts> ports;
    MachineDescription description = test::small_machine(GicVersion::v3, kVcpus);
    std::vector<u8> kernel = std::vector<u8>(kPageBytes, u8{0x11});
    std::vector<std::span<const u8>> blobs{kernel};
    std::unique_ptr<VirtMachine> machine;
};

TEST_F(HostParts, NeedNoOtherPortThanTheVcpus) {
    ASSERT_TRUE(start());
    EXPECT_EQ(vm().state(), VmState::running);
    EXPECT_EQ(vm().irq_router(), &irqs);
}

TEST_F(HostParts, DevicesAreWiredToTheHostsController) {
    ASSERT_TRUE(start());
    constexpr Gpa kInterruptMask{0x0900'0038};
    constexpr u64 kReceive = 1 << 4;
    constexpr u64 kReceiveTimeout = 1 << 6;
    EXPECT_EQ(
        handle(0, Exit{MemoryExit{kInterruptMask, kReceive | kReceiveTimeout, MemoryAccess::write, Width::b4, true}}),
        Answer::complete());
    EXPECT_FALSE(irqs.high(kUartIntid));
    constexpr Gpa kControl{0x0900'0030};
    constexpr Gpa kLineControl{0x0900'002c};
    static_cast<void>(handle(0, Exit{MemoryExit{kControl, 0x301, MemoryAccess::write, Width::b4, true}}));
    static_cast<void>(handle(0, Exit{MemoryExit{kLineControl, 0x70, MemoryAccess::write, Width::b4, true}}));
    const u8 typed = 'x';
    static_cast<void>(machine->console_port()->receive({&typed, 1}));
    EXPECT_TRUE(irqs.high(kUartIntid));
}

TEST_F(HostParts, ThereIsNoGicInSoftwareWhereTheHostsIs) {
    ASSERT_TRUE(start());
    EXPECT_EQ(
        handle(0, Exit{MemoryExit{description.gic.distributor.base, 0, MemoryAccess::read, Width::b4, true}}).kind(),
        AnswerKind::inject)
        << "such an exit never comes: the host answers there";
}

TEST_F(HostParts, PerformanceMonitorsThatAreAskedForAreTheHostsOrAMistake) {
    description.pmu = PmuPolicy::required;
    const auto built = make(side()).build();
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().key.view(), "pmu");
    HostSide host = side();
    host.parts.pmu = true;
    EXPECT_TRUE(make(host).build());
}

TEST_F(HostParts, EveryVcpuRunsFromTheStartWhereTheHostStartsThem) {
    ASSERT_TRUE(start());
    for (u16 n = 0; n < kVcpus; ++n) {
        EXPECT_EQ(vcpus[n].state(), fake::Vcpu::State::runnable) << n;
        EXPECT_FALSE(vm().vcpu(VcpuId{n}).is_parked()) << n;
    }
    ASSERT_TRUE(vm().pause());
    EXPECT_EQ(vm().settle(), Vm::Settled::nothing) << "the other still runs";
    EXPECT_EQ(vm().state(), VmState::pausing);
    let_all_leave();
    EXPECT_EQ(vm().state(), VmState::paused);
    ASSERT_TRUE(vm().resume());
    for (u16 n = 0; n < kVcpus; ++n)
        EXPECT_EQ(vcpus[n].state(), fake::Vcpu::State::runnable) << n;
}

TEST_F(HostParts, OnlyTheBootVcpuRunsWhereTheMachineStartsThem) {
    HostSide host = side();
    host.started_vcpus = StartedVcpus::boot;
    ASSERT_TRUE(make(host).build() && vm().start());
    EXPECT_EQ(vcpus[0].state(), fake::Vcpu::State::runnable);
    EXPECT_NE(vcpus[1].state(), fake::Vcpu::State::runnable);
}

TEST_F(HostParts, AResetReachesTheHostsControllerAndEveryVcpu) {
    ASSERT_TRUE(start());
    ASSERT_TRUE(vm().reset());
    let_all_leave();
    for (int step = 0; step < 1000 && vm().state() != VmState::running; ++step) {
        vm().turn();
        static_cast<void>(vm().settle());
    }
    EXPECT_EQ(vm().state(), VmState::running);
    EXPECT_EQ(irqs.resets, 1u);
    for (u16 n = 0; n < kVcpus; ++n)
        EXPECT_EQ(vcpus[n].state(), fake::Vcpu::State::runnable) << n;
}

TEST_F(HostParts, ThePhysicalTimerIsTheHostsOrTheMachines) {
    const Exit read{SystemRegisterExit{aarch64::sysreg::kCntpCtlEl0, false, 0}};
    ASSERT_TRUE(start());
    EXPECT_EQ(handle(0, read).kind(), AnswerKind::inject);
    HostSide host = side();
    host.parts.physical_timer = false;
    ASSERT_TRUE(make(host).build() && vm().start());
    EXPECT_EQ(handle(0, read), Answer::complete(0));
    // It drives a controller that is not ours.
    static_cast<void>(handle(0, Exit{SystemRegisterExit{aarch64::sysreg::kCntpCtlEl0, true, 1}}));
    EXPECT_TRUE(irqs.high(0, 16 + description.timer.physical));
}

TEST_F(HostParts, ACounterOfTheHostsOwnHasNoOtherPolicy) {
    description.counter = CounterPolicy::running;
    const auto refused = make(side()).build();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().key.view(), "counter");
    fake::VirtualTimer timers[kVcpus];
    for (u16 n = 0; n < kVcpus; ++n)
        ports[n].timer = &timers[n];
    clock.advance(1000);
    ASSERT_TRUE(start());
    EXPECT_EQ(timers[1].counter_offset(), clock.now_ticks());
}

TEST_F(HostParts, AHostWithoutControllerNeedsListRegisters) {
    HostSide host = side();
    host.parts = {};
    const auto refused = make(host).build();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().message.view(), "the host has no usable list registers");
}

} // namespace
} // namespace sel4vm::machine
