// SPDX-License-Identifier: BSD-2-Clause
//
// What a vCPU did, gathered from where it is counted.
#include <sel4vm/vm/statistics.hpp>

#include <support/vm_fixture.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

TEST(Statistics, ExitsAreCountedByKindAndAddUp) {
    VmFixture f(2);
    ASSERT_TRUE(f.vm.start());
    for (int times = 0; times < 3; ++times)
        f.script(hypercall_exit(0xc500'0001));
    f.script(wait_exit());
    f.run();
    const VcpuStatistics boot = statistics_of(f.vcpu(0), f.clock);
    EXPECT_EQ(boot.exits_of(ExitKind::wait), 1u);
    EXPECT_EQ(boot.exits_of(ExitKind::hypercall), 3u);
    EXPECT_EQ(boot.all_exits(), boot.exits_of(ExitKind::kicked) + 4);
    EXPECT_EQ(statistics_of(f.vcpu(1), f.clock).all_exits(), 0u) << "it is off";
}

TEST(Statistics, EachKickCountsAlsoWhenSeveralAreOneExit) {
    VmFixture f;
    ASSERT_TRUE(f.vm.start());
    const u64 before = statistics_of(f.vcpu(), f.clock).kicks;
    for (int times = 0; times < 3; ++times)
        f.vcpu().port().kick();
    ASSERT_TRUE(f.executor.step());
    const VcpuStatistics after = statistics_of(f.vcpu(), f.clock);
    EXPECT_EQ(after.kicks, before + 3);
    EXPECT_EQ(after.exits_of(ExitKind::kicked), 1u);
    EXPECT_FALSE(after.interrupts.has_value()) << "this port has no list registers";
    f.vm.stop(StopReason::client);
    EXPECT_EQ(statistics_of(f.vcpu(), f.clock).kicks, before + 4);
}

TEST(Statistics, TimesAreNanosecondsAlsoWhenTicksAreMany) {
    VmFixture f;
    const u64 per_second = f.clock.ticks_per_second();
    f.ports[0].set_times(
        {.running_ticks = 20'000'000'000 * per_second / 2, .waiting_ticks = per_second / 4, .stolen_ticks = 0});
    const auto times = statistics_of(f.vcpu(), f.clock).times;
    ASSERT_TRUE(times.has_value());
    EXPECT_EQ(times->running, 10'000'000'000u * 1'000'000'000u);
    EXPECT_EQ(times->waiting, 250'000'000u);
    EXPECT_EQ(times->stolen, 0u);
}

} // namespace
} // namespace sel4vm::test
