// SPDX-License-Identifier: BSD-2-Clause
//
// The emulated EL1 physical timer: views, condition, lines, wrap; and that it ends a guest's wait on a real executor.
#include <gtest/gtest.h>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/dev/arm/generic_timer.hpp>
#include <support/manual_timeouts.hpp>
#include <support/recording_irqs.hpp>
#include <support/vm_fixture.hpp>

namespace sel4vm::dev {
namespace {

namespace sysreg = aarch64::sysreg;
constexpr u32 kCtl = sysreg::kCntpCtlEl0;
constexpr u32 kCval = sysreg::kCntpCvalEl0;
constexpr u32 kTval = sysreg::kCntpTvalEl0;
constexpr u32 kPpi = 30;

/// Each look at it finds it one tick later.
class HurryingClock final : public Clock {
public:
    u64 now_ticks() override { return ++now_; }
    u64 ticks_per_second() override { return 1'000'000; }
    Result<u64, HostError> wall_clock_seconds() override { return Err{HostError{HostErrorKind::not_available}}; }

private:
    u64 now_ = 1000;
};

struct GenericTimerTest : testing::Test {
    GenericTimerTest() {
        EXPECT_TRUE(timer.add_vcpu(timeouts.queue()));
        EXPECT_TRUE(timer.add_vcpu(timeouts.queue()));
        EXPECT_TRUE(timer.register_all(f.vm.system_registers()));
        f.clock.set(1000);
    }
    u64 get(u32 id, u16 vcpu = 0) { return *timer.read(f.vcpu(vcpu), id); }
    void set(u32 id, u64 value, u16 vcpu = 0) { ASSERT_TRUE(timer.write(f.vcpu(vcpu), id, value)); }
    bool line(u16 vcpu = 0) const { return chip.high(vcpu, kPpi); }

    test::VmFixture f{2};
    test::RecordingIrqs chip;
    test::ManualTimeouts timeouts{f.clock};
    GenericTimer timer{chip, f.clock, f.allocator};
};

TEST_F(GenericTimerTest, TheCounterIsTheClockMinusTheOffset) {
    EXPECT_EQ(get(sysreg::kCntpctEl0), 1000u);
    timer.set_counter_offset(900);
    EXPECT_EQ(get(sysreg::kCntpctEl0), 100u);
    EXPECT_EQ(get(sysreg::kCntpctssEl0), 100u);
    timer.set_counter_offset(1001);
    EXPECT_EQ(get(sysreg::kCntpctEl0), ~u64{0});
    EXPECT_EQ(timer.write(f.vcpu(), sysreg::kCntpctEl0, 0).error(), BusFault::denied);
}

TEST_F(GenericTimerTest, FiresAtTheCompareValueAndStaysUntilItMoves) {
    set(kCval, 1500);
    set(kCtl, 1);
    EXPECT_EQ(timeouts.earliest(), 1500u);
    timeouts.advance(499);
    EXPECT_FALSE(line());
    EXPECT_EQ(get(kCtl), 1u);
    timeouts.advance(1);
    EXPECT_TRUE(line());
    EXPECT_EQ(get(kCtl), 5u) << "ISTATUS";
    EXPECT_FALSE(line(1)) << "of its own vCPU only";
    timeouts.advance(1'000'000);
    EXPECT_TRUE(line());
    set(kCval, 2'000'000);
    EXPECT_FALSE(line());
    EXPECT_EQ(get(kCtl), 1u);
}

TEST_F(GenericTimerTest, TheStatusIsNotSeenBeforeTheInterruptIsPending) {
    set(kCval, 1500);
    set(kCtl, 1);
    f.clock.set(1500); // and the host's timeout is late
    EXPECT_FALSE(line());
    EXPECT_EQ(get(kCtl), 5u);
    EXPECT_TRUE(line());
    EXPECT_FALSE(timeouts.earliest().has_value());
}

TEST_F(GenericTimerTest, TheCounterIsNotSeenBehindTheCompareValueBeforeTheInterruptIsPending) {
    for (const u32 id : {sysreg::kCntpctEl0, sysreg::kCntpctssEl0, kTval, kCval}) {
        set(kCval, ~u64{0});
        set(kCtl, 1);
        set(kTval, 100);
        f.clock.set(f.clock.now_ticks() + 100);
        EXPECT_FALSE(line());
        static_cast<void>(get(id));
        EXPECT_TRUE(line()) << id;
    }
}

TEST_F(GenericTimerTest, AClockThatMovesWhileItIsReadDoesNotShowTheStatusTooEarly) {
    HurryingClock clock;
    GenericTimer late{chip, clock, f.allocator};
    ASSERT_TRUE(late.add_vcpu(timeouts.queue()));
    ASSERT_TRUE(late.write(f.vcpu(0), kCval, 1010).has_value());
    ASSERT_TRUE(late.write(f.vcpu(0), kCtl, 1).has_value());
    bool seen = false;
    for (int n = 0; n < 20 && !seen; ++n) {
        seen = (*late.read(f.vcpu(0), kCtl) & 4) != 0;
        EXPECT_EQ(seen, line());
    }
    EXPECT_TRUE(seen);
}

TEST_F(GenericTimerTest, TheMaskHidesTheLineButNotTheStatus) {
    set(kCval, 10);
    set(kCtl, 3);
    EXPECT_FALSE(line());
    EXPECT_EQ(get(kCtl), 7u);
    set(kCtl, 1);
    EXPECT_TRUE(line());
    set(kCtl, 3);
    EXPECT_FALSE(line());
    set(kCtl, 0);
    EXPECT_EQ(get(kCtl), 0u);
    set(kCtl, ~u64{0} & ~u64{2});
    EXPECT_EQ(get(kCtl), 5u) << "ISTATUS is read-only, the rest reserved";
}

TEST_F(GenericTimerTest, ADisabledTimerAsksForNoTimeout) {
    set(kCval, 5000);
    EXPECT_FALSE(timeouts.earliest().has_value());
    set(kCtl, 1);
    EXPECT_TRUE(timeouts.earliest().has_value());
    set(kCtl, 3);
    EXPECT_FALSE(timeouts.earliest().has_value());
}

TEST_F(GenericTimerTest, TimerValueIsASignedThirtyTwoBitViewOfTheDistance) {
    set(kTval, 500);
    EXPECT_EQ(get(kCval), 1500u);
    EXPECT_EQ(get(kTval), 500u);
    timeouts.advance(600);
    EXPECT_EQ(get(kTval), 0xffff'ff9cu) << "100 ticks late; the upper half reads as zero";
    set(kTval, 0xffff'ffff);
    EXPECT_EQ(get(kCval), 1599u) << "minus one";
    set(kTval, 0x8000'0000);
    EXPECT_EQ(get(kCval), 1600 - 0x8000'0000u + (u64{0xffff'ffff} << 32));
    set(kTval, 0xabcd'0000'0000'0010);
    EXPECT_EQ(get(kCval), 1616u) << "only 32 bits are written";
    set(kTval, 0x7fff'ffff);
    EXPECT_EQ(get(kCval), 1600 + u64{0x7fff'ffff});
}

TEST_F(GenericTimerTest, ACompareValueBelowTheCounterHasFiredAndTheLargestNever) {
    set(kCval, 0);
    set(kCtl, 1);
    EXPECT_TRUE(line());
    set(kCval, ~u64{0});
    EXPECT_FALSE(line());
    EXPECT_EQ(timeouts.earliest(), ~u64{0});
}

TEST_F(GenericTimerTest, DistancesBeyondTheEndOfTheHostsClockNeverFire) {
    timer.set_counter_offset(2000); // the guest's counter is at 2^64 - 1000 now
    set(kCtl, 1);
    EXPECT_TRUE(line()) << "zero has passed";
    set(kCval, ~u64{0} - 10);
    EXPECT_FALSE(line());
    EXPECT_EQ(timeouts.earliest(), 2000u - 11);
    timer.set_counter_offset(0);
    f.clock.set(~u64{0} - 5);
    timer.set_counter_offset(~u64{0} - 100); // at 95, with 5 ticks of host time left
    set(kCval, 200);
    EXPECT_FALSE(line());
    EXPECT_FALSE(timeouts.earliest().has_value());
}

TEST_F(GenericTimerTest, TheLineFollowsAMovedCounter) {
    set(kCval, 500);
    set(kCtl, 1);
    EXPECT_TRUE(line());
    timer.set_counter_offset(900);
    EXPECT_FALSE(line());
    timeouts.advance(400);
    EXPECT_TRUE(line());
}

TEST_F(GenericTimerTest, ResetOfAVcpuTurnsItsTimerOffAndOnlyIts) {
    for (const u16 n : {u16{0}, u16{1}}) {
        set(kCval, 5, n);
        set(kCtl, 1, n);
    }
    timer.reset_vcpu(f.vcpu(1));
    EXPECT_TRUE(line(0));
    EXPECT_FALSE(line(1));
    EXPECT_EQ(timer.state(VcpuId{1}), GenericTimer::State{});
    EXPECT_EQ(get(kCtl, 1), 0u);
}

TEST_F(GenericTimerTest, ASavedTimerStillFires) {
    set(kCval, 1100);
    set(kCtl, 1);
    const auto state = timer.state(VcpuId{0});
    timer.reset_vcpu(f.vcpu());
    timer.restore(VcpuId{0}, state);
    timeouts.advance(100);
    EXPECT_TRUE(line());
}

TEST(GenericTimerOnAVm, EndsAWaitForInterrupt) {
    test::VmFixture f;
    test::RecordingIrqs chip;
    chip.vm = &f.vm;
    f.vm.set_interrupts(chip, &chip);
    GenericTimer timer(chip, f.clock, f.allocator);
    ASSERT_TRUE(timer.add_vcpu(f.executor.timeouts()));
    ASSERT_TRUE(timer.register_all(f.vm.system_registers()));
    ASSERT_TRUE(f.vm.start());
    f.script(Exit{SystemRegisterExit{kTval, true, 0x1000}});
    f.script(Exit{SystemRegisterExit{kCtl, true, 1}});
    f.script(test::wait_exit());
    f.script(Exit{SystemRegisterExit{kCtl, false, 0}});
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(f.executor.step());
    ASSERT_TRUE(f.events.timeout_set());
    EXPECT_EQ(f.events.timeout_ticks(), 0x1000u);
    f.clock.set(0x1000);
    f.events.fire_timeouts(true);
    ASSERT_TRUE(f.executor.step()); // the timeout
    ASSERT_TRUE(f.executor.step()); // the kick of the rising line
    ASSERT_TRUE(f.executor.step()); // what the woken vCPU does
    f.vm.stop(StopReason::client);
    f.run();
    ASSERT_GE(f.events.answers().size(), 5u);
    EXPECT_EQ(f.events.answers()[2].answer.next(), Next::block);
    EXPECT_EQ(f.events.answers()[3].exit.kind, ExitKind::kicked);
    EXPECT_EQ(f.events.answers()[4].answer.kind(), AnswerKind::complete);
    EXPECT_EQ(f.events.answers()[4].answer.data(), 5u);
}

} // namespace
} // namespace sel4vm::dev
