// SPDX-License-Identifier: BSD-2-Clause
//
// A C++ program over a host that it is given: the fake one, which names nothing of seL4 and refuses each request in turn.
#include <hosts/fake/program_host.hpp>
#include <sel4vm/program/host.hpp>
#include <suite/a64.h>

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

namespace sel4vm::test {
namespace {

struct FakeMachine final : fake::HostBase {};

struct Dropped final : ByteSink {
    void put(std::span<const u8>) override {}
};

/// Turns itself off.
constexpr std::array kCode{A64_CALL(0x8400'0008U), A64_B(0)};

std::string bytes_of_code() {
    std::string bytes(sizeof(kCode), '\0');
    std::memcpy(bytes.data(), kCode.data(), sizeof(kCode));
    return bytes;
}

machine::MachineDescription a_guest(machine::GicVersion version) {
    return {.name = "guest",
            .vcpu_count = 2,
            .memory = {{.base = Gpa{0x4000'0000}, .size_bytes = 8 * kMiB}},
            .gic = {.version = version},
            .devices = {machine::default_uart()},
            .images = {{.kind = machine::ImageKind::kernel, .source = "kernel"}}};
}

/// True when it ran until it had turned itself off.
bool run_a_guest(fake::ProgramHost &fake_host) {
    program::Host host;
    if (!host.open(fake_host))
        return false;
    const auto guest = host.make_guest(a_guest(host.gic_version()));
    if (!guest || !(*guest)->start())
        return false;
    host.run();
    return (*guest)->stop_reason() == StopReason::powered_off;
}

TEST(ProgramHost, AGuestRunsOverAHostThatIsGiven) {
    FakeMachine machine;
    machine.add_file("kernel", bytes_of_code());
    fake::ProgramHost host(machine);
    EXPECT_TRUE(run_a_guest(host));
    EXPECT_EQ(machine.live(), 0u);
}

TEST(ProgramHost, AGuestThatHasStoppedIsResetAndRunsInTheNextRun) {
    FakeMachine machine;
    machine.add_file("kernel", bytes_of_code());
    fake::ProgramHost fake_host(machine);
    program::Host host;
    ASSERT_TRUE(host.open(fake_host));
    const auto guest = host.make_guest(a_guest(host.gic_version()));
    ASSERT_TRUE(guest && (*guest)->start());
    for (unsigned run = 0; run < 3; ++run) {
        host.run();
        const VcpuStatistics boot = (*guest)->statistics(VcpuId{0});
        EXPECT_EQ(boot.exits_of(ExitKind::hypercall), run + 1);
        EXPECT_TRUE(boot.interrupts.has_value());
        EXPECT_GE(boot.kicks, boot.exits_of(ExitKind::kicked));
        EXPECT_EQ((*guest)->statistics(VcpuId{1}).all_exits(), 0u);
        ASSERT_EQ((*guest)->stop_reason(), StopReason::powered_off) << "run " << run;
        ASSERT_TRUE((*guest)->reset());
        EXPECT_EQ((*guest)->stop_reason(), StopReason::none);
    }
    host.run();
    EXPECT_EQ((*guest)->stop_reason(), StopReason::powered_off);
}

/// Resets each VM that stops, a few times.
struct Again final : ExecutorListener {
    void notification(u64, u64) override {}
    void vm_stopped(Vm &vm) override {
        if (++stopped < 4) {
            EXPECT_TRUE(vm.reset().has_value());
        }
    }
    void vm_restarted(Vm &vm) override {
        EXPECT_EQ(vm.state(), VmState::running);
        ++restarted;
    }
    int stopped = 0;
    int restarted = 0;
};

TEST(ProgramHost, WhoHearsThatAGuestHasStoppedMayResetIt) {
    fake::shared() = {};
    FakeMachine machine;
    machine.add_file("kernel", bytes_of_code());
    fake::ProgramHost fake_host(machine);
    program::Host host;
    Again again;
    ASSERT_TRUE(host.open(fake_host));
    host.set_listener(&again);
    const auto guest = host.make_guest(a_guest(host.gic_version()));
    ASSERT_TRUE(guest && (*guest)->start());
    host.run();
    EXPECT_EQ(again.stopped, 4);
    EXPECT_EQ(again.restarted, 3);
    EXPECT_EQ((*guest)->stop_reason(), StopReason::powered_off);
}

TEST(ProgramHost, NothingLeaksWhicheverRequestTheHostRefuses) {
    FakeMachine machine;
    machine.add_file("kernel", bytes_of_code());
    fake::ProgramHost host(machine);
    const usize before = machine.requests();
    ASSERT_TRUE(run_a_guest(host));
    const usize requests = machine.requests() - before;
    EXPECT_GT(requests, 10u);
    usize ran = 0;
    for (usize n = 1; n <= requests; ++n) {
        fake::shared_log().lines.clear();
        machine.refuse_at(n);
        ran += run_a_guest(host) ? 1u : 0u;
        machine.refuse_at(0);
        ASSERT_EQ(machine.live(), 0u) << "after request " << n << " was refused";
    }
    EXPECT_LT(ran, requests);
}

TEST(ProgramHost, TheConsoleHasOneListener) {
    fake::shared() = {};
    FakeMachine machine;
    fake::ProgramHost host(machine);
    fake::shared().console_input = "typed";
    ASSERT_TRUE(host.listen(4).has_value());
    const auto second = host.listen(8);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().kind, HostErrorKind::busy);
    Event event;
    host.events().resume_and_wait(Answer::none(), event);
    EXPECT_EQ(event.kind, EventKind::notification);
    EXPECT_EQ(event.badge, 4u);
    std::array<u8, 8> bytes{};
    EXPECT_EQ(host.read(bytes), 5u);
    host.put(std::span{bytes}.first(5));
    EXPECT_EQ(fake::shared().console_output, "typed");
    EXPECT_FALSE(host.file("none").has_value());
}

} // namespace
} // namespace sel4vm::test
