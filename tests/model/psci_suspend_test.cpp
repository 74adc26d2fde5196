// SPDX-License-Identifier: BSD-2-Clause
//
// Sleep without power: SYSTEM_SUSPEND and the powerdown states of CPU_SUSPEND (DEN 0022), on a VM with a real GIC.
#include <hosts/fake/list_registers.hpp>
#include <hosts/fake/virtual_timer.hpp>
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/arch/aarch64/psci.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/dev/arm/gic/gic.hpp>
#include <sel4vm/dev/arm/psci.hpp>
#include <support/vm_fixture.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
namespace psci = aarch64::psci;
namespace gicd = aarch64::gicd;

constexpr u64 kDistributor = 0x0800'0000;
constexpr u64 kEntry = 0x4000'1000;
constexpr u64 kContext = 0x1234'5678'9abc;
constexpr u64 kPowerdown = 1U << 16;
constexpr u32 kIrq = 40;
constexpr u32 kSctlr = aarch64::sysreg::kSctlrEl1;

struct Sleepers : VmFixture, testing::TestWithParam<GicVersion> {
    Sleepers() : VmFixture(2), gic({GetParam(), 2, 64}) {
        SEL4VM_ASSERT(gic.init(allocator).has_value());
        for (u16 n = 0; n < 2; ++n) {
            lists.emplace_back(fake::ListRegisters::full());
            timers.emplace_back();
            SEL4VM_ASSERT(gic.attach(vcpu(n), lists[n], timers[n]).has_value());
        }
        vm.set_interrupts(gic, &gic);
        SEL4VM_ASSERT(vm.attach(range(kDistributor, gic.distributor_bytes()), gic.distributor()).has_value());
        SEL4VM_ASSERT(service.register_all(vm.hypercalls()).has_value());
        SEL4VM_ASSERT(vm.start().has_value());
        write(gicd::kCtlr, 3);
        if (GetParam() == GicVersion::v2)
            write(gicd::kItargetsr + kIrq, 1, Width::b1);
    }
    void write(u64 offset, u64 value, Width width = Width::b4) {
        EXPECT_EQ(handle(write_exit(kDistributor + offset, value, width)).kind(), AnswerKind::complete);
        static_cast<void>(ports[0].take_kick());
    }
    Answer call(u32 function, u64 x1, u64 x2, u64 x3 = 0, u16 cpu = 0) {
        const u64 values[] = {function, x1, x2, x3};
        for (unsigned n = 0; n < 4; ++n)
            ports[cpu].set_general_register(n, values[n]);
        return handle(Exit{aarch64::hypercall(function, 0, aarch64::Conduit::hvc)}, cpu);
    }
    i64 result(const Answer &answer) {
        EXPECT_EQ(answer, Answer::complete());
        return static_cast<i64>(ports[0].general_register(0));
    }
    /// What an executor does with an answer.
    void apply(const Answer &answer) {
        ports[0].set_state(answer.next() == Next::stop    ? fake::Vcpu::State::stopped
                           : answer.next() == Next::block ? fake::Vcpu::State::blocked
                                                          : fake::Vcpu::State::runnable);
        if (answer.next() == Next::stop) {
            vm.parked(vcpu());
            static_cast<void>(vm.settle());
        }
    }
    void fall_asleep(u32 function = psci::kSystemSuspend64) {
        const bool system = function == psci::kSystemSuspend64;
        const Answer answer = system ? call(function, kEntry, kContext) : call(function, kPowerdown, kEntry, kContext);
        EXPECT_EQ(answer, Answer::complete().then(Next::block));
        apply(answer);
        resets = ports[0].resets();
    }
    /// The vCPU is kicked, as when an interrupt has come.
    Answer kick() {
        const Answer answer = handle(Exit{ExitKind::kicked});
        apply(answer);
        return answer;
    }
    void expect_awake() {
        EXPECT_EQ(ports[0].state(), fake::Vcpu::State::runnable);
        EXPECT_EQ(ports[0].resets(), resets + 1);
        EXPECT_EQ(ports[0].program_counter(), kEntry);
        EXPECT_EQ(ports[0].general_register(0), kContext);
        EXPECT_FALSE(vcpu().is_asleep());
    }
    void raise() {
        gic.set_level(kIrq, Level::high);
        static_cast<void>(ports[0].take_kick());
    }
    void enable() { write(gicd::kIsenabler + 4, 1u << (kIrq - 32)); }

    dev::Gic gic;
    dev::Psci service;
    std::deque<fake::ListRegisters> lists;
    std::deque<fake::VirtualTimer> timers;
    unsigned resets = 0;
};
INSTANTIATE_TEST_SUITE_P(Versions, Sleepers, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &which) { return which.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(Sleepers, TheSystemSleepsOnlyWhenAllOthersAreOff) {
    ASSERT_EQ(result(call(psci::kCpuOn64, 1, kEntry)), psci::kSuccess);
    EXPECT_EQ(result(call(psci::kSystemSuspend64, kEntry, 0)), psci::kDenied);
    ports[1].set_state(fake::Vcpu::State::stopped);
    EXPECT_EQ(call(psci::kCpuOff, 0, 0, 0, 1).next(), Next::stop);
    EXPECT_EQ(result(call(psci::kSystemSuspend32, kEntry, 0)), psci::kDenied) << "until it has stopped";
    vm.parked(vcpu(1));
    fall_asleep();
}

TEST_P(Sleepers, TheEntryMustBeInMemory) {
    for (const u64 entry : {u64{0x0900'0000}, kEntry + 2, u64{0x4020'0000}, ~u64{3}}) {
        EXPECT_EQ(result(call(psci::kSystemSuspend64, entry, 0)), psci::kInvalidAddress);
        EXPECT_EQ(result(call(psci::kCpuSuspend64, kPowerdown, entry)), psci::kInvalidAddress);
    }
    EXPECT_FALSE(vcpu().is_asleep());
}

TEST_P(Sleepers, AnEnabledInterruptWakesAtTheEntryWhateverTheCpuInterfaceLetsThrough) {
    for (const u32 function : {psci::kSystemSuspend64, psci::kCpuSuspend64}) {
        write(gicd::kIcenabler + 4, 1u << (kIrq - 32));
        lists[0].set_control(0); // as Linux leaves it
        fall_asleep(function);
        raise();
        EXPECT_EQ(kick().next(), Next::block) << "it is not enabled";
        EXPECT_EQ(ports[0].resets(), resets);
        // Somebody else enables it: another vCPU for one that sleeps alone.
        static_cast<void>(handle(write_exit(kDistributor + gicd::kIsenabler + 4, 1u << (kIrq - 32)), 1));
        EXPECT_TRUE(ports[0].take_kick());
        EXPECT_EQ(kick().next(), Next::stop);
        expect_awake();
        lists[0].restart();
        lists[0].set_control(fake::ListRegisters::kOpen);
        static_cast<void>(handle(Exit{ExitKind::kicked}));
        EXPECT_EQ(lists[0].acknowledge()->intid, kIrq) << "and is there";
        gic.set_level(kIrq, Level::low);
        lists[0].end(kIrq);
        static_cast<void>(handle(Exit{ExitKind::kicked}));
    }
}

TEST_P(Sleepers, OneThatIsThereAlreadyEndsTheSleepAtOnce) {
    enable();
    raise();
    const Answer answer = call(psci::kSystemSuspend64, kEntry, kContext);
    EXPECT_EQ(answer.next(), Next::stop);
    resets = ports[0].resets();
    apply(answer);
    expect_awake();
}

TEST_P(Sleepers, AStandbyReturnsAndIsHeldBackByTheCpuInterface) {
    enable();
    raise();
    lists[0].set_control(0);
    EXPECT_EQ(call(psci::kCpuSuspend64, 0, 0).next(), Next::block);
    lists[0].set_control(fake::ListRegisters::kOpen);
    EXPECT_EQ(call(psci::kCpuSuspend64, 0, 0).next(), Next::run);
    EXPECT_EQ(ports[0].general_register(0), 0u);
    EXPECT_EQ(ports[0].resets(), 1u);
}

TEST_P(Sleepers, ItWakesWithTheEndiannessThatItHad) {
    constexpr u64 kEe = u64{1} << 25;
    ASSERT_TRUE(ports[0].set_system_register(kSctlr, kEe | 5));
    enable();
    fall_asleep();
    raise();
    static_cast<void>(kick());
    expect_awake();
    EXPECT_EQ(*ports[0].system_register(kSctlr) & kEe, kEe);
}

TEST_P(Sleepers, TheVirtualTimerGoesOnAndWakes) {
    const u32 timer_bit = 1u << 27;
    if (GetParam() == GicVersion::v2)
        write(gicd::kIsenabler, timer_bit);
    else
        gic.set_private_level(VcpuId{0}, 30, Level::low); // its registers are in a frame that is not attached here
    timers[0].set_state({.control = 1, .compare_value = 77});
    fall_asleep();
    if (GetParam() == GicVersion::v2) {
        timers[0].meet_condition();
        ASSERT_TRUE(timers[0].fires());
        const Answer answer = handle(Exit{aarch64::irq_service(aarch64::IrqService::virtual_timer)});
        EXPECT_EQ(answer, Answer::go_on().then(Next::stop));
        apply(answer);
        expect_awake();
        EXPECT_FALSE(timers[0].masked) << "its condition still holds: it fires again";
    } else {
        enable();
        raise();
        static_cast<void>(kick());
    }
    EXPECT_EQ(timers[0].state().compare_value, 77u);
}

TEST_P(Sleepers, ItIsOnForAllOthers) {
    ASSERT_EQ(result(call(psci::kCpuOn64, 1, kEntry)), psci::kSuccess);
    fall_asleep(psci::kCpuSuspend64);
    static_cast<void>(call(psci::kAffinityInfo64, 0, 0, 0, 1));
    EXPECT_EQ(static_cast<i64>(ports[1].general_register(0)), psci::kAffinityOn);
    static_cast<void>(call(psci::kCpuOn64, 0, kEntry, 0, 1));
    EXPECT_EQ(static_cast<i64>(ports[1].general_register(0)), psci::kAlreadyOn);
    EXPECT_EQ(call(psci::kSystemSuspend64, kEntry, 0, 0, 1), Answer::complete());
    EXPECT_EQ(static_cast<i64>(ports[1].general_register(0)), psci::kDenied);
}

TEST_P(Sleepers, APauseDoesNotWakeIt) {
    enable();
    fall_asleep();
    ASSERT_TRUE(vm.pause());
    EXPECT_EQ(kick().next(), Next::stop);
    EXPECT_EQ(vm.state(), VmState::paused);
    EXPECT_TRUE(vcpu().is_asleep());
    ASSERT_TRUE(vm.resume());
    EXPECT_EQ(kick().next(), Next::block);
    EXPECT_EQ(ports[0].resets(), resets);
    // An interrupt that comes while it is paused wakes it afterwards.
    ASSERT_TRUE(vm.pause());
    static_cast<void>(kick());
    raise();
    EXPECT_EQ(ports[0].resets(), resets);
    ASSERT_TRUE(vm.resume());
    EXPECT_EQ(kick().next(), Next::stop);
    expect_awake();
}

TEST_P(Sleepers, AResetEndsIt) {
    fall_asleep();
    ASSERT_TRUE(vm.reset());
    EXPECT_EQ(kick().next(), Next::stop);
    EXPECT_EQ(vm.state(), VmState::running);
    EXPECT_FALSE(vcpu().is_asleep());
    EXPECT_EQ(kick(), Answer::go_on()) << "it executes its guest";
}

TEST_P(Sleepers, NoExitOfItEndsWithoutALook) {
    fall_asleep();
    for (int n = 0; n < 3; ++n)
        EXPECT_EQ(kick(), Answer::go_on().then(Next::block));
}

TEST_P(Sleepers, WhenNothingIsLeftThatCouldWakeItTheVmStops) {
    ports[0].set_general_register(1, kEntry);
    script(Exit{aarch64::hypercall(psci::kSystemSuspend64, 0, aarch64::Conduit::hvc)});
    run();
    EXPECT_EQ(vm.state(), VmState::stopped);
    EXPECT_EQ(vm.stop_reason(), StopReason::guest_crash);
}

} // namespace
} // namespace sel4vm::test
