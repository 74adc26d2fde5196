// SPDX-License-Identifier: BSD-2-Clause
//
// Work of devices at the end of exits: whose exit it is, how much of it is done at once, and that none is left behind.
#include <sel4vm/vm/vcpu_work.hpp>

#include <gtest/gtest.h>
#include <support/vm_fixture.hpp>

namespace sel4vm {
namespace {

/// Something to do for so many bytes.
struct Job final : DeviceWork {
    bool work(u64 &left_bytes) override {
        ++turns;
        const u64 here = std::min(left_bytes, bytes);
        most = std::max(most, here);
        bytes -= here;
        left_bytes -= here;
        done += here;
        if (then != nullptr && bytes == 0)
            turns_of->ask(*std::exchange(then, nullptr));
        return bytes != 0;
    }
    u64 bytes = 0;
    u64 done = 0;
    u64 most = 0;
    int turns = 0;
    Job *then = nullptr; ///< that is asked for when this one is done
    WorkTurns *turns_of = nullptr;
};

/// A device whose register asks for work, with the bus's lock held.
struct Bell final : MmioDevice {
    Bell(WorkTurns &of, Job &what) : turns(of), job(what) {}
    const char *name() const override { return "bell"; }
    Result<u64, BusFault> read(const Access &) override { return u64{0}; }
    Status<BusFault> write(const Access &access, u64 value) override {
        job.bytes = value;
        turns.ask(job, access.vcpu);
        return Ok{};
    }
    void reset() override { turns.withdraw(job); }
    WorkTurns &turns;
    Job &job;
};

struct VcpuWorkTest : testing::Test {
    static constexpr u64 kBell = 0x1000'0000;
    VcpuWorkTest() {
        EXPECT_TRUE(work.add(job));
        EXPECT_TRUE(work.add(second));
        job.turns_of = second.turns_of = &work;
        fixture.vm.set_device_work(&work);
        EXPECT_TRUE(fixture.vm.attach(test::range(kBell, 0x1000), bell));
        EXPECT_TRUE(fixture.vm.start());
        EXPECT_EQ(fixture.vm.power_on(fixture.vcpu(1), {}), Vm::PowerOn::done);
        settle(0);
        settle(1);
    }
    /// Ends whatever is asked for since the start.
    void settle(u16 vcpu) {
        static_cast<void>(fixture.ports[vcpu].take_kick());
        static_cast<void>(fixture.handle(Exit{ExitKind::kicked}, vcpu));
    }
    void turn_off(u16 vcpu) {
        EXPECT_EQ(fixture.vm.power_off(fixture.vcpu(vcpu)).next(), Next::stop);
        fixture.vm.parked(fixture.vcpu(vcpu));
    }
    Answer ring(u64 bytes, u16 vcpu = 0) { return fixture.handle(test::write_exit(kBell, bytes), vcpu); }

    test::VmFixture fixture{2};
    VcpuWork work{fixture.vm, fixture.clock, fixture.executor.timeouts()};
    Job job, second;
    Bell bell{work, job};
};

TEST_F(VcpuWorkTest, IsDoneAtTheEndOfTheExitThatAskedForIt) {
    EXPECT_EQ(ring(100).next(), Next::run);
    EXPECT_EQ(job.done, 100U);
    EXPECT_EQ(job.turns, 1);
    EXPECT_FALSE(fixture.events.timeout_set());
    settle(0);
    EXPECT_EQ(job.turns, 1);
}

TEST_F(VcpuWorkTest, WorkThatAsksForOtherWorkHasItDoneInTheSameExit) {
    second.bytes = 7;
    job.then = &second;
    ring(100);
    EXPECT_EQ(second.done, 7U);
}

TEST_F(VcpuWorkTest, NeedsNoKickForWhatTheVcpuAsksInItsOwnExit) {
    ring(100);
    EXPECT_FALSE(fixture.ports[0].kicked());
}

TEST_F(VcpuWorkTest, MuchOfItGoesInStepsOneAnExit) {
    ring(VcpuWork::kStepBytes * 2 + 1);
    EXPECT_EQ(job.done, VcpuWork::kStepBytes);
    settle(0);
    EXPECT_EQ(job.done, 2 * VcpuWork::kStepBytes);
    settle(0);
    EXPECT_EQ(job.bytes, 0U);
    EXPECT_EQ(job.most, VcpuWork::kStepBytes);
}

TEST_F(VcpuWorkTest, AGuestThatDoesNotLeaveByItselfIsMadeToWhenThePauseIsOver) {
    ring(VcpuWork::kStepBytes + 1);
    EXPECT_FALSE(fixture.ports[0].kicked()) << "it runs on meanwhile";
    ASSERT_TRUE(fixture.events.timeout_set());
    EXPECT_GT(fixture.events.timeout_ticks(), fixture.clock.now_ticks());
    fixture.clock.set(fixture.events.timeout_ticks());
    fixture.executor.timeouts().run_due(fixture.clock.now_ticks());
    EXPECT_TRUE(fixture.ports[0].kicked());
    settle(0);
    EXPECT_EQ(job.bytes, 0U);
}

TEST_F(VcpuWorkTest, AGuestThatWaitsWorksOn) {
    ring(VcpuWork::kStepBytes * 2 + 1);
    EXPECT_EQ(fixture.handle(test::wait_exit()).next(), Next::block);
    EXPECT_TRUE(fixture.ports[0].kicked()) << "there is more";
    settle(0);
    EXPECT_EQ(job.bytes, 0U);
}

TEST_F(VcpuWorkTest, IsTheVcpusThatAsked) {
    ring(VcpuWork::kStepBytes + 1, 1);
    settle(0);
    EXPECT_NE(job.bytes, 0U);
    settle(1);
    EXPECT_EQ(job.bytes, 0U);
}

TEST_F(VcpuWorkTest, ThatNoAccessBeganIsTheLastWorkersAndKicksIt) {
    ring(1, 1);
    job.bytes = 5;
    work.ask(job);
    EXPECT_TRUE(fixture.ports[1].kicked());
    settle(1);
    EXPECT_EQ(job.bytes, 0U);
}

TEST_F(VcpuWorkTest, OfAVcpuThatGoesOffIsAnothersThen) {
    ring(VcpuWork::kStepBytes + 1, 1);
    turn_off(1);
    EXPECT_TRUE(fixture.ports[0].kicked());
    settle(0);
    EXPECT_EQ(job.bytes, 0U);
}

TEST_F(VcpuWorkTest, ForAVcpuThatIsOffIsAnothers) {
    turn_off(1);
    job.bytes = 5;
    work.ask(job, VcpuId{1});
    settle(0);
    EXPECT_EQ(job.bytes, 0U);
}

TEST_F(VcpuWorkTest, IsNotDoneWhenItWasWithdrawn) {
    job.bytes = 5;
    work.ask(job, VcpuId{0});
    bell.reset();
    settle(0);
    EXPECT_EQ(job.turns, 0);
}

TEST_F(VcpuWorkTest, EveryWorkHasItsPart) {
    second.bytes = 100 * VcpuWork::kStepBytes;
    work.ask(second);
    ring(100 * VcpuWork::kStepBytes);
    for (int i = 0; i < 10; ++i)
        settle(0);
    EXPECT_GT(job.done, 2 * VcpuWork::kStepBytes);
    EXPECT_GT(second.done, 2 * VcpuWork::kStepBytes);
}

TEST_F(VcpuWorkTest, ThereIsRoomForSoManyWorks) {
    std::deque<Job> jobs(VcpuWork::kMax);
    usize added = 2;
    for (Job &one : jobs)
        added += work.add(one) ? 1U : 0U;
    EXPECT_EQ(added, VcpuWork::kMax);
}

} // namespace
} // namespace sel4vm
