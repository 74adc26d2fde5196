// SPDX-License-Identifier: BSD-2-Clause
//
// Life of single vCPUs: turned on and off, held and released, and what the executor does between.
#include "lifecycle_fixture.hpp"

namespace sel4vm::test {
namespace {

TEST_F(LifecycleTest, AVcpuThatTurnedItselfOffCanBeStartedAgain) {
    VmFixture f(2);
    prepare(f);
    ASSERT_TRUE(f.vm.start());
    f.script(hypercall_exit(Power::cpu_on));
    f.script(hypercall_exit(Power::cpu_off), 1);
    f.script(hypercall_exit(Power::cpu_on));
    ASSERT_TRUE(f.executor.step());
    EXPECT_EQ(power.last, Vm::PowerOn::done);
    EXPECT_EQ(f.ports[1].program_counter(), 0x4000'1000u);
    EXPECT_EQ(f.ports[1].general_register(0), 9u);
    EXPECT_EQ(f.vm.power_on(f.vcpu(1), {0, 0}), Vm::PowerOn::already_on);
    ASSERT_TRUE(f.executor.step());
    EXPECT_EQ(f.vcpu(1).power_state(), PowerState::off);
    ASSERT_TRUE(f.executor.step());
    EXPECT_EQ(power.last, Vm::PowerOn::done);
    EXPECT_EQ(f.ports[1].resets(), 2u);
}

TEST_F(LifecycleTest, AVmWhoseLastVcpuTurnsItselfOffStops) {
    VmFixture f(2);
    prepare(f);
    ASSERT_TRUE(f.vm.start());
    f.script(hypercall_exit(Power::cpu_off));
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::stopped);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::guest_crash);
}

TEST_F(LifecycleTest, AVcpuMayTurnItselfOffWhileAnotherIsBeingTurnedOn) {
    VmFixture f(2);
    ASSERT_TRUE(f.vm.start());
    f.hooks.on_entering = [&f](Vcpu &vcpu) {
        EXPECT_EQ(vcpu.power_state(), PowerState::on_pending) << "it has not entered yet";
        static_cast<void>(f.vm.power_off(f.vcpu(0)));
    };
    ASSERT_EQ(f.vm.power_on(f.vcpu(1), {0x4000'1000, 0}), Vm::PowerOn::done);
    EXPECT_EQ(f.hooks.entered, 2);
    EXPECT_EQ(f.vm.state(), VmState::running);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::none);
}

TEST_F(LifecycleTest, AGuestThatCanNeverWakeStopsInsteadOfHanging) {
    VmFixture f;
    ASSERT_TRUE(f.vm.start());
    f.script(wait_exit());
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::stopped);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::guest_crash);
}

TEST_F(LifecycleTest, AVcpuThatItsHandlerHoldsGoesOnAfterItsRelease) {
    VmFixture f;
    prepare(f);
    Holder holder;
    ASSERT_TRUE(f.vm.reserve(range(0x1000'0000, 0x1000), holder));
    ASSERT_TRUE(f.vm.start());
    f.script(read_exit(0x1000'0000));
    f.script(hypercall_exit(Power::off));
    ASSERT_TRUE(f.executor.step());
    EXPECT_TRUE(f.vm.is_held(f.vcpu()));
    EXPECT_EQ(f.ports[0].state(), fake::Vcpu::State::stopped);
    EXPECT_FALSE(f.executor.step()) << "nothing runs, and the VM must not be stopped for it";
    EXPECT_EQ(f.vm.state(), VmState::running);
    EXPECT_TRUE(f.vm.release(f.vcpu()));
    EXPECT_FALSE(f.vm.release(f.vcpu()));
    f.run();
    EXPECT_EQ(f.vm.stop_reason(), StopReason::powered_off);
}

TEST_F(LifecycleTest, AHeldVcpuDoesNotKeepItsVmFromStopping) {
    VmFixture f;
    Holder holder;
    ASSERT_TRUE(f.vm.reserve(range(0x1000'0000, 0x1000), holder));
    ASSERT_TRUE(f.vm.start());
    f.script(read_exit(0x1000'0000));
    ASSERT_TRUE(f.executor.step());
    f.vm.stop(StopReason::client);
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::stopped);
    EXPECT_FALSE(f.vm.release(f.vcpu()));
}

TEST_F(LifecycleTest, TheHooksMayChangeRegistersBeforeAVcpuEntersAndHearWhenItIsOff) {
    VmFixture f(2);
    prepare(f);
    f.hooks.first_x1 = 7;
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.hooks.entered, 1);
    EXPECT_EQ(f.ports[0].general_register(1), 7u);
    EXPECT_EQ(f.vm.power_on(f.vcpu(1), {VmFixture::kRam, 0}), Vm::PowerOn::done);
    EXPECT_EQ(f.hooks.entered, 2);
    EXPECT_EQ(f.ports[1].general_register(1), 7u);
    TurnOff turn_off;
    ASSERT_TRUE(f.vm.hypercalls().add(0x900, 0x900, turn_off));
    f.script(hypercall_exit(0x900), 1);
    f.script(hypercall_exit(Power::off));
    f.run();
    EXPECT_EQ(f.hooks.turned_offs, 1);
}

TEST_F(LifecycleTest, AnExecutorThatHasServedNobodyYetHasNothingToDo) {
    VmFixture f;
    EXPECT_FALSE(f.executor.step());
    f.executor.remove(f.vm);
    EXPECT_FALSE(f.executor.step());
}

TEST_F(LifecycleTest, AnExecutorForgetsARemovedVmAndGivesItsPlaceAway) {
    VmFixture f;
    fake::GuestSpace space;
    ASSERT_EQ(f.executor.free_id(), VmId{1});
    Vm second(VmConfig{"second", VmId{1}, LockMode::none, ResetPolicy::restart}, space, f.allocator, f.log);
    ASSERT_TRUE(f.executor.add(second));
    EXPECT_EQ(f.executor.free_id(), VmId{2});
    f.executor.remove(f.vm);
    EXPECT_EQ(f.executor.free_id(), VmId{0});
    Vm third(VmConfig{"third", VmId{0}, LockMode::none, ResetPolicy::restart}, space, f.allocator, f.log);
    EXPECT_TRUE(f.executor.add(third));
    Vm beyond(VmConfig{"beyond", VmId{Executor::kMaxVms}, LockMode::none, ResetPolicy::restart}, space, f.allocator,
              f.log);
    EXPECT_FALSE(f.executor.add(beyond));
}

TEST_F(LifecycleTest, AFlushedAnswerIsAppliedOnceAndWithoutWaiting) {
    VmFixture f;
    ASSERT_TRUE(f.vm.start());
    f.script(read_exit(VmFixture::kRam));
    f.script(read_exit(VmFixture::kRam));
    ASSERT_TRUE(f.executor.step());
    EXPECT_EQ(f.events.answers().size(), 0u);
    f.executor.flush();
    EXPECT_EQ(f.events.answers().size(), 1u);
    f.executor.flush();
    ASSERT_TRUE(f.executor.step());
    EXPECT_EQ(f.events.answers().size(), 1u);
    f.executor.flush();
    EXPECT_EQ(f.events.answers().size(), 2u);
}

TEST_F(LifecycleTest, ANotificationBringsItsBadgeAndMessage) {
    VmFixture f;
    ASSERT_TRUE(f.vm.start());
    f.events.script_notification(0x10, 0x5003);
    ASSERT_TRUE(f.executor.step());
    EXPECT_EQ(f.listener.badges, 0x10u);
    EXPECT_EQ(f.listener.messages, std::vector<u64>{0x5003});
}

TEST_F(LifecycleTest, TheRunLoopIsLeftWhenItsOwnerSaysSo) {
    VmFixture f;
    prepare(f);
    struct Leaver final : ReservationHandler {
        Answer fault(Vcpu &, const MemoryExit &) override {
            leave = true;
            return Answer::complete();
        }
        bool leave = false;
    } leaver;
    ASSERT_TRUE(f.vm.reserve(range(0x1000'0000, 0x1000), leaver));
    ASSERT_TRUE(f.vm.start());
    f.script(read_exit(0x1000'0000));
    f.script(hypercall_exit(Power::off));
    EXPECT_TRUE(f.executor.run_until(leaver.leave));
    EXPECT_EQ(f.vm.state(), VmState::running);
    EXPECT_TRUE(f.executor.run_until(leaver.leave)) << "it is left at once";
    leaver.leave = false;
    EXPECT_FALSE(f.executor.run_until(leaver.leave));
    EXPECT_EQ(f.vm.stop_reason(), StopReason::powered_off);
}

} // namespace
} // namespace sel4vm::test
