// SPDX-License-Identifier: BSD-2-Clause
//
// Life of a VM on an executor: start, pause, reset, stop, and two VMs side by side.
#include "lifecycle_fixture.hpp"

namespace sel4vm::test {
namespace {

TEST_F(LifecycleTest, StartResetsTheBootVcpuAndRunsIt) {
    VmFixture f;
    f.ports[0].set_general_register(5, 77);
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.vm.state(), VmState::running);
    EXPECT_EQ(f.ports[0].program_counter(), 0x4000'0000u);
    EXPECT_EQ(f.ports[0].general_register(0), 0x4800'0000u);
    EXPECT_EQ(f.ports[0].general_register(5), 0u);
    EXPECT_EQ(f.ports[0].state(), fake::Vcpu::State::runnable);
    EXPECT_EQ(f.vm.start().error(), LifecycleError::wrong_state);
}

/// Counts how often the registers of each vCPU were reset.
struct Registers final : SystemRegisterHandler {
    const char *name() const override { return "registers"; }
    Result<u64, BusFault> read(Vcpu &, u32) override { return u64{0}; }
    Status<BusFault> write(Vcpu &, u32, u64) override { return Ok{}; }
    void reset_vcpu(Vcpu &vcpu) override { ++resets[vcpu.id().value()]; }
    std::array<int, 2> resets{};
};

TEST_F(LifecycleTest, EmulatedSystemRegistersAreResetWithTheirVcpuAndWithTheVm) {
    VmFixture f(2);
    Registers registers;
    ASSERT_TRUE(f.vm.system_registers().add(1, 2, registers));
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.vm.power_on(f.vcpu(1), {0x4000'1000, 0}), Vm::PowerOn::done);
    EXPECT_EQ(registers.resets, (std::array<int, 2>{0, 1}));
    prepare(f);
    f.script(hypercall_exit(Power::restart));
    f.script(hypercall_exit(Power::off));
    f.run();
    EXPECT_EQ(f.hooks.prepared, 2);
    EXPECT_EQ(registers.resets, (std::array<int, 2>{1, 2}));
}

TEST_F(LifecycleTest, StartSaysWhenTheImagesCannotBeLoaded) {
    VmFixture f;
    f.hooks.fail = true;
    EXPECT_EQ(f.vm.start().error(), LifecycleError::failed);
    EXPECT_EQ(f.vm.state(), VmState::built);
    VmFixture none(0);
    EXPECT_EQ(none.vm.start().error(), LifecycleError::no_vcpu);
}

TEST_F(LifecycleTest, PowerOffStopsTheVmAndEndsTheRun) {
    VmFixture f(2);
    prepare(f);
    ASSERT_TRUE(f.vm.start());
    f.script(hypercall_exit(Power::cpu_on));
    f.script(hypercall_exit(Power::off));
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::stopped);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::powered_off);
    EXPECT_EQ(f.hooks.stops, 1);
    EXPECT_EQ(f.listener.stopped, 1);
    EXPECT_EQ(f.ports[0].state(), fake::Vcpu::State::stopped);
    EXPECT_EQ(f.ports[1].state(), fake::Vcpu::State::stopped);
}

TEST_F(LifecycleTest, ResetStartsAgainFromTheFirstState) {
    VmFixture f(2);
    prepare(f);
    ASSERT_TRUE(f.vm.start());
    f.script(hypercall_exit(Power::cpu_on));
    f.script(hypercall_exit(Power::restart));
    f.script(hypercall_exit(Power::off));
    f.run();
    EXPECT_EQ(f.hooks.prepared, 2);
    EXPECT_EQ(f.ports[0].resets(), 2u);
    EXPECT_EQ(f.ports[1].resets(), 1u) << "the second vCPU stays off until the guest starts it again";
    EXPECT_EQ(f.vm.stop_reason(), StopReason::powered_off);
    // Entry, then one completed hypercall: the restart's own instruction must not count after the reset.
    EXPECT_EQ(f.ports[0].program_counter(), 0x4000'0004u);
}

TEST_F(LifecycleTest, AStartThatTakesLongGoesInTurnsOfTheBootVcpu) {
    VmFixture f(2);
    prepare(f);
    f.hooks.more_steps = 3;
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.vm.state(), VmState::starting);
    EXPECT_EQ(f.ports[0].state(), fake::Vcpu::State::stopped);
    EXPECT_EQ(f.vm.start().error(), LifecycleError::wrong_state);
    for (int turn = 0; turn < 3; ++turn) {
        EXPECT_EQ(f.vm.state(), VmState::starting) << turn;
        ASSERT_TRUE(f.executor.step());
    }
    EXPECT_EQ(f.vm.state(), VmState::running);
    EXPECT_EQ(f.ports[0].program_counter(), 0x4000'0000u);
    EXPECT_EQ(f.hooks.prepared, 1);
    f.script(hypercall_exit(Power::off));
    f.run();
    EXPECT_EQ(f.vm.stop_reason(), StopReason::powered_off);
}

TEST_F(LifecycleTest, AResetThatTakesLongLetsOthersRunBetweenItsSteps) {
    VmFixture f(1);
    prepare(f);
    fake::Vcpu other_port;
    Vm other(VmConfig{"other", VmId{1}}, f.space, f.allocator, f.log);
    ASSERT_TRUE(other.add_vcpu(other_port));
    Hooks other_hooks;
    other.set_lifecycle_hooks(&other_hooks);
    f.events.add(VmId{1}, VcpuId{0}, other_port);
    ASSERT_TRUE(f.executor.add(other));
    ASSERT_TRUE(f.vm.start());
    ASSERT_TRUE(other.start());
    f.hooks.more_steps = 5;
    f.script(hypercall_exit(Power::restart));
    while (f.vm.state() == VmState::running)
        ASSERT_TRUE(f.executor.step());
    ASSERT_EQ(f.vm.state(), VmState::resetting);
    other_port.kick();
    while (other_port.kicked()) // heard before the reset is done
        ASSERT_TRUE(f.executor.step());
    EXPECT_EQ(f.vm.state(), VmState::resetting);
    while (f.vm.state() == VmState::resetting)
        ASSERT_TRUE(f.executor.step());
    EXPECT_EQ(f.vm.state(), VmState::running);
    EXPECT_EQ(f.hooks.prepared, 2);
    f.executor.remove(other);
}

TEST_F(LifecycleTest, AStopInTheMiddleOfAResetEndsItAndTheNextResetBeginsAnew) {
    VmFixture f(1);
    prepare(f);
    ASSERT_TRUE(f.vm.start());
    f.hooks.more_steps = 5;
    f.script(hypercall_exit(Power::restart));
    while (f.vm.state() == VmState::running)
        ASSERT_TRUE(f.executor.step());
    ASSERT_TRUE(f.executor.step());
    f.vm.stop(StopReason::client);
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::stopped);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::client);
    f.hooks.more_steps = 2;
    ASSERT_TRUE(f.vm.reset());
    EXPECT_EQ(f.vm.settle(), Vm::Settled::nothing);
    while (f.vm.state() == VmState::resetting)
        ASSERT_TRUE(f.executor.step());
    EXPECT_EQ(f.vm.state(), VmState::running);
    EXPECT_EQ(f.hooks.prepared, 3);
}

TEST_F(LifecycleTest, AStartThatFailsLaterStopsTheVmWithAReason) {
    VmFixture f(1);
    f.hooks.more_steps = 2;
    ASSERT_TRUE(f.vm.start());
    ASSERT_TRUE(f.executor.step());
    f.hooks.fail = true;
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::stopped);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::host_error);
    EXPECT_EQ(f.listener.stopped, 1);
}

TEST_F(LifecycleTest, ResetByPolicyStops) {
    VmFixture f(1, ResetPolicy::stop);
    prepare(f);
    ASSERT_TRUE(f.vm.start());
    f.script(hypercall_exit(Power::restart));
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::stopped);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::reset);
    EXPECT_EQ(f.hooks.prepared, 1);
}

TEST_F(LifecycleTest, ResetThatCannotLoadTheImagesStopsWithAReason) {
    VmFixture f;
    prepare(f);
    ASSERT_TRUE(f.vm.start());
    f.hooks.fail = true;
    f.script(hypercall_exit(Power::restart));
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::stopped);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::host_error);
}

TEST_F(LifecycleTest, AStoppedVmCanBeResetAndRunsAgain) {
    VmFixture f;
    prepare(f);
    ASSERT_TRUE(f.vm.start());
    f.script(hypercall_exit(Power::off));
    f.run();
    ASSERT_EQ(f.vm.state(), VmState::stopped);
    ASSERT_TRUE(f.vm.reset());
    EXPECT_EQ(f.vm.settle(), Vm::Settled::restarted);
    EXPECT_EQ(f.vm.state(), VmState::running);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::none);
}

TEST_F(LifecycleTest, PauseHoldsEveryVcpuWithItsInstructionFinished) {
    VmFixture f(2);
    prepare(f);
    ASSERT_TRUE(f.vm.start());
    f.script(hypercall_exit(Power::cpu_on));
    f.script(hypercall_exit(Power::pause));
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::paused);
    EXPECT_EQ(f.ports[0].program_counter(), 0x4000'0008u);
    EXPECT_EQ(f.ports[0].state(), fake::Vcpu::State::stopped);
    EXPECT_EQ(f.ports[1].state(), fake::Vcpu::State::stopped);
    EXPECT_EQ(f.vm.pause().error(), LifecycleError::wrong_state);
    EXPECT_EQ(f.hooks.pauses, 1);
    EXPECT_EQ(f.hooks.resumes, 0);
    ASSERT_TRUE(f.vm.resume());
    EXPECT_EQ(f.hooks.resumes, 1);
    EXPECT_EQ(f.ports[0].state(), fake::Vcpu::State::runnable);
    EXPECT_EQ(f.ports[1].state(), fake::Vcpu::State::runnable);
    f.script(hypercall_exit(Power::off));
    f.run();
    EXPECT_EQ(f.vm.stop_reason(), StopReason::powered_off);
}

/// Asks for every change of its VM's state from inside a register.
struct Control final : MmioDevice {
    explicit Control(Vm &owner) : vm(owner) {}
    [[nodiscard]] const char *name() const override { return "control"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &) override {
        started = vm.start().error();
        resumed = vm.resume().error();
        EXPECT_FALSE(vm.release(vm.vcpu(VcpuId{0})));
        EXPECT_TRUE(vm.pause());
        EXPECT_TRUE(vm.resume());
        vm.stop(StopReason::client);
        return u64{0};
    }
    [[nodiscard]] Status<BusFault> write(const Access &, u64) override { return Ok{}; }
    void reset() override {}
    Vm &vm;
    std::optional<LifecycleError> started, resumed;
};

// The bus holds the device's lock meanwhile, behind which the lifecycle's must not be taken.
TEST_F(LifecycleTest, ADevicesHandlerMayAskForAnyChangeOfItsVm) {
    VmFixture f;
    prepare(f);
    Control control(f.vm);
    ASSERT_TRUE(f.vm.attach(range(0x0d00'0000, kPageBytes), control));
    ASSERT_TRUE(f.vm.start());
    f.script(read_exit(0x0d00'0000));
    f.run();
    EXPECT_EQ(control.started, LifecycleError::wrong_state);
    EXPECT_EQ(control.resumed, LifecycleError::wrong_state);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::client);
}

/// Pauses its VM and takes it back at once.
struct Hesitant final : MmioDevice {
    explicit Hesitant(Vm &owner) : vm(owner) {}
    [[nodiscard]] const char *name() const override { return "hesitant"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &) override {
        EXPECT_TRUE(vm.pause());
        EXPECT_TRUE(vm.resume());
        return u64{0};
    }
    [[nodiscard]] Status<BusFault> write(const Access &, u64) override {
        EXPECT_TRUE(vm.pause());
        return Ok{};
    }
    void reset() override {}
    Vm &vm;
};

TEST_F(LifecycleTest, APauseThatIsTakenBackBeforeItIsThereHoldsNobody) {
    VmFixture f;
    prepare(f);
    Hesitant device(f.vm);
    ASSERT_TRUE(f.vm.attach(range(0x0d00'0000, kPageBytes), device));
    ASSERT_TRUE(f.vm.start());
    f.script(read_exit(0x0d00'0000));
    f.script(write_exit(0x0d00'0000, 0));
    f.run();
    EXPECT_EQ(f.events.answers().size(), 3u); // with the kick after the first pause
    EXPECT_EQ(f.vm.state(), VmState::paused) << "the second one stays";
}

TEST_F(LifecycleTest, ABlockedVcpuIsParkedByAPause) {
    VmFixture f;
    prepare(f);
    ASSERT_TRUE(f.vm.start());
    f.script(wait_exit());
    ASSERT_TRUE(f.executor.step()); // delivers the wait
    f.events.signal(1);
    ASSERT_TRUE(f.executor.step()); // blocks, delivers the notification
    ASSERT_EQ(f.ports[0].state(), fake::Vcpu::State::blocked);
    EXPECT_EQ(f.listener.badges, 1u);
    ASSERT_TRUE(f.vm.pause());
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::paused);
}

TEST_F(LifecycleTest, TheFirstStopReasonWins) {
    VmFixture f;
    ASSERT_TRUE(f.vm.start());
    f.vm.stop_because(StopReason::client, "first");
    f.vm.stop_because(StopReason::guest_error, "second");
    f.run();
    EXPECT_EQ(f.vm.stop_reason(), StopReason::client);
    EXPECT_EQ(f.vm.stop_detail(), "first");
}

TEST_F(LifecycleTest, TwoVmsOnOneExecutorDoNotTouchEachOther) {
    VmFixture f;
    prepare(f);
    fake::GuestSpace space;
    fake::Vcpu port;
    Hooks hooks;
    Vm second(VmConfig{"second", VmId{1}, LockMode::none, ResetPolicy::restart}, space, f.allocator, f.log);
    auto added = second.add_vcpu(port);
    ASSERT_TRUE(added);
    second.set_lifecycle_hooks(&hooks);
    ASSERT_TRUE(second.hypercalls().add(Power::off, Power::pause, power));
    f.events.add(VmId{1}, VcpuId{0}, port);
    EXPECT_FALSE(f.executor.add(f.vm));
    ASSERT_TRUE(f.executor.add(second));
    ASSERT_TRUE(f.vm.start());
    ASSERT_TRUE(second.start());
    f.events.script(VmId{1}, VcpuId{0}, hypercall_exit(Power::off));
    f.events.script(VmId{0}, VcpuId{0}, hypercall_exit(Power::restart));
    f.events.script(VmId{0}, VcpuId{0}, hypercall_exit(Power::off));
    f.run();
    EXPECT_EQ(second.stop_reason(), StopReason::powered_off);
    EXPECT_EQ(hooks.prepared, 1);
    EXPECT_EQ(f.hooks.prepared, 2);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::powered_off);
    EXPECT_EQ(f.listener.stopped, 2);
}

TEST_F(LifecycleTest, AStoppedVmIsResetByWhoeverRunsTheExecutorNext) {
    VmFixture f;
    prepare(f);
    f.hooks.more_steps = 1;
    ASSERT_TRUE(f.vm.start());
    f.script(hypercall_exit(Power::off));
    f.run();
    ASSERT_EQ(f.vm.state(), VmState::stopped);
    EXPECT_EQ(f.listener.restarted, 0);
    ASSERT_TRUE(f.vm.reset());
    EXPECT_EQ(f.vm.reset().error(), LifecycleError::wrong_state) << "one is under way";
    f.script(hypercall_exit(Power::off));
    f.run();
    EXPECT_EQ(f.vm.stop_reason(), StopReason::powered_off);
    EXPECT_EQ(f.hooks.prepared, 2);
    EXPECT_EQ(f.ports[0].resets(), 2u);
    EXPECT_EQ(f.listener.restarted, 1);
    EXPECT_EQ(f.listener.stopped, 2);
}

TEST_F(LifecycleTest, WhoHearsThatAVmHasStoppedMayResetIt) {
    VmFixture f;
    prepare(f);
    f.listener.on_stopped = [&](Vm &vm) { EXPECT_EQ(f.listener.stopped < 3 && vm.reset(), f.listener.stopped < 3); };
    ASSERT_TRUE(f.vm.start());
    for (int times = 0; times < 3; ++times)
        f.script(hypercall_exit(Power::off));
    f.run();
    EXPECT_EQ(f.listener.stopped, 3);
    EXPECT_EQ(f.listener.restarted, 2);
    EXPECT_EQ(f.vm.state(), VmState::stopped);
}

// No vCPU of it runs that could be stopped, and its executor has another VM to serve.
TEST_F(LifecycleTest, ARequestToAVmOfWhichNothingRunsIsCarriedOutWhileAnotherVmRuns) {
    VmFixture f;
    prepare(f);
    fake::GuestSpace space;
    fake::Vcpu port;
    Hooks hooks;
    Vm other(VmConfig{"other", VmId{1}, LockMode::none, ResetPolicy::restart}, space, f.allocator, f.log);
    ASSERT_TRUE(other.add_vcpu(port));
    other.set_lifecycle_hooks(&hooks);
    ASSERT_TRUE(other.hypercalls().add(Power::off, Power::pause, power));
    f.events.add(VmId{1}, VcpuId{0}, port);
    ASSERT_TRUE(f.executor.add(other));
    ASSERT_TRUE(other.start());
    ASSERT_TRUE(f.vm.start());
    const auto serve = [&] { // nothing but exits of the other, and what is to be done for this one
        for (int events = 0; events < 4; ++events) {
            f.events.script(VmId{1}, VcpuId{0}, hypercall_exit(0xc500'0001));
            ASSERT_TRUE(f.executor.step());
        }
    };
    ASSERT_TRUE(f.vm.pause());
    serve();
    ASSERT_EQ(f.vm.state(), VmState::paused);
    ASSERT_TRUE(f.vm.reset());
    serve();
    EXPECT_EQ(f.vm.state(), VmState::running);
    ASSERT_TRUE(f.vm.pause());
    serve();
    f.vm.stop(StopReason::client);
    serve();
    EXPECT_EQ(f.vm.state(), VmState::stopped);
    ASSERT_TRUE(f.vm.reset());
    serve();
    EXPECT_EQ(f.vm.state(), VmState::running);
    f.executor.remove(other);
}

/// Asks for a pause again when the first one has been carried out, before the resume that took it back is.
struct PausesAgain final : LifecycleHooks {
    BootStep prepare_boot(Vm &, BootCall) override { return BootStep::ready({0x4000'0000, 0}); }
    void paused(Vm &vm) override {
        ++pauses;
        EXPECT_EQ(vm.state(), VmState::paused);
        EXPECT_TRUE(vm.pause().has_value());
        EXPECT_FALSE(vm.pause().has_value()) << "nothing is left to take back";
    }
    void resuming(Vm &) override { ++resumes; }
    void stopped(Vm &, StopReason) override {}
    int pauses = 0;
    int resumes = 0;
};

TEST(PauseAgain, TakesBackAResumeThatIsNotCarriedOutYet) {
    VmFixture f;
    PausesAgain hooks;
    f.vm.set_lifecycle_hooks(&hooks);
    ASSERT_TRUE(f.vm.start());
    ASSERT_TRUE(f.vm.pause());
    ASSERT_TRUE(f.vm.resume());
    f.ports[0].set_state(fake::Vcpu::State::stopped);
    f.vm.parked(f.vcpu());
    EXPECT_EQ(f.vm.settle(), Vm::Settled::nothing);
    EXPECT_EQ(f.vm.state(), VmState::paused);
    EXPECT_EQ(hooks.pauses, 1);
    EXPECT_EQ(hooks.resumes, 0);
    EXPECT_TRUE(f.vm.resume());
    EXPECT_EQ(f.vm.state(), VmState::running);
}

} // namespace
} // namespace sel4vm::test
