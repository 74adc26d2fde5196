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

/// Makes another guest at each second read, and destroys it at the others: the bus holds its lock meanwhile.
struct Maker final : MmioDevice {
    explicit Maker(program::Host &its_host) : host(its_host) {}
    [[nodiscard]] const char *name() const override { return "maker"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &) override {
        if (other) {
            other.reset();
        } else {
            auto guest = host.make_guest(a_guest(host.gic_version()));
            EXPECT_TRUE(guest.has_value());
            if (guest)
                other = *std::move(guest);
            ++made;
        }
        return u64{made == 10 && !other ? 1u : 0u};
    }
    [[nodiscard]] Status<BusFault> write(const Access &, u64) override { return Ok{}; }
    void reset() override {}
    program::Host &host;
    Owned<program::Guest> other;
    int made = 0;
};

TEST(ProgramHost, ADevicesHandlerMayMakeAndDestroyAnotherGuest) {
    constexpr std::array kAsk{A64_LOAD(1U, 0x0b000000U), A64_LDR_W(4U, 1U, 0U), A64_CBZ(4U, -1), A64_CALL(0x8400'0008U),
                              A64_B(0)};
    fake::shared() = {};
    FakeMachine machine;
    machine.add_file("kernel", bytes_of_code());
    machine.add_file("ask", {reinterpret_cast<const char *>(kAsk.data()), sizeof(kAsk)});
    fake::ProgramHost fake_host(machine);
    {
        program::Host host;
        ASSERT_TRUE(host.open(fake_host));
        machine::MachineDescription description = a_guest(host.gic_version());
        description.images[0].source = "ask";
        const auto guest = host.make_guest(description);
        ASSERT_TRUE(guest.has_value());
        Maker maker(host);
        ASSERT_TRUE((*guest)->vm().attach(*GpaRange::make(Gpa{0x0b00'0000}, kPageBytes), maker));
        ASSERT_TRUE((*guest)->start());
        host.run();
        EXPECT_EQ((*guest)->stop_reason(), StopReason::powered_off);
        EXPECT_EQ(maker.made, 10);
    }
    EXPECT_EQ(machine.live(), 0u);
}

/// Destroys the guest whose device it is.
struct OwnEnd final : MmioDevice {
    [[nodiscard]] const char *name() const override { return "own end"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &) override {
        guest.reset();
        return u64{0};
    }
    [[nodiscard]] Status<BusFault> write(const Access &, u64) override { return Ok{}; }
    void reset() override {}
    Owned<program::Guest> guest;
};

TEST(ProgramHostDeathTest, AGuestIsNotDestroyedByItsOwnDevice) {
    constexpr std::array kRead{A64_LOAD(1U, 0x0b000000U), A64_LDR_W(4U, 1U, 0U), A64_B(0)};
    FakeMachine machine;
    machine.add_file("kernel", {reinterpret_cast<const char *>(kRead.data()), sizeof(kRead)});
    fake::ProgramHost fake_host(machine);
    program::Host host;
    ASSERT_TRUE(host.open(fake_host));
    OwnEnd device;
    auto guest = host.make_guest(a_guest(host.gic_version()));
    ASSERT_TRUE(guest.has_value());
    device.guest = *std::move(guest);
    ASSERT_TRUE(device.guest->vm().attach(*GpaRange::make(Gpa{0x0b00'0000}, kPageBytes), device));
    ASSERT_TRUE(device.guest->start());
    EXPECT_DEATH(host.run(), "is_serving");
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
