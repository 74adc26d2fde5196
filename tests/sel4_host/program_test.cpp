// SPDX-License-Identifier: BSD-2-Clause
//
// A C++ program on the double: what its guests are told of this host.
#include <sel4_host/double/host.hpp>

#include <sel4vm/program/host.hpp>

#include <suite/a64.h>
#include <support/device_tree.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

namespace sel4vm::sel4_double {
namespace {

constexpr u32 kRam = 0x4000'0000, kTreePlace = kRam + 0x20'0000;

struct Dropped final : ByteSink {
    void put(std::span<const u8>) override {}
};

/// Keeps the address of its device tree, and turns itself off.
constexpr std::array kKernel{A64_LOAD(2U, kTreePlace), A64_STR_X(0U, 2U, 0U), A64_CALL(0x8400'0008U), A64_B(0)};

machine::MachineDescription a_machine(machine::GicVersion version) {
    return {.name = "guest",
            .memory = {{.base = Gpa{kRam}, .size_bytes = 8 * kMiB}},
            .gic = {.version = version},
            .images = {{.kind = machine::ImageKind::kernel, .size_bytes = sizeof(kKernel), .source = "kernel"}}};
}

// An hvc with a system call's number in x7 is a system call of the vCPU's thread.
TEST(Sel4Program, TellsGuestsToCallTheirFirmwareBySmc) {
    shared() = {};
    {
        program::Host host;
        ASSERT_TRUE(host.open().has_value());
        const auto description = a_machine(host.gic_version());
        const std::span<const u8> images[] = {{reinterpret_cast<const u8 *>(kKernel.data()), sizeof(kKernel)}};
        const auto guest = host.make_guest(description, {.images = images});
        ASSERT_TRUE(guest.has_value()) << guest.error().message.view();
        ASSERT_TRUE((*guest)->start().has_value());
        host.run();
        EXPECT_EQ((*guest)->stop_reason(), StopReason::powered_off);
        GuestMemory &memory = (*guest)->vm().memory();
        const auto tree = memory.load<u64>(Gpa{kTreePlace});
        ASSERT_TRUE(tree.has_value());
        test::TreeBuffer copy(64 * 1024);
        ASSERT_TRUE(memory.read(Gpa{*tree}, copy.bytes()).has_value());
        EXPECT_EQ(test::TreeView(copy.bytes()).texts("/psci", "method"), "smc|");
    }
    EXPECT_EQ(shared().violation, "");
    EXPECT_EQ(shared().left, 0u);
}

struct HeardBadges final : BadgeHandler {
    void signalled(u64 bits, u64) override { all |= bits; }
    u64 all = 0;
};

TEST(Sel4Program, SignalsGoToWhoeverOwnsTheirBits) {
    shared() = {};
    {
        program::Host host;
        ASSERT_TRUE(host.open().has_value());
        HeardBadges heard, late;
        EXPECT_TRUE(host.own_signals(0x30, "the test", heard));
        testing::internal::CaptureStdout();
        EXPECT_FALSE(host.own_signals(0x10, "another", late));
        EXPECT_FALSE(host.own_signals(program::kConsoleBadge, "another", late));
        std::fflush(stdout);
        const std::string said = testing::internal::GetCapturedStdout();
        EXPECT_NE(said.find("signals 0x10 cannot be another's: one of them is the test's"), std::string::npos) << said;
        EXPECT_NE(said.find("cannot be another's: one of them is the console's"), std::string::npos) << said;
        const std::span<const u8> images[] = {{reinterpret_cast<const u8 *>(kKernel.data()), sizeof(kKernel)}};
        const auto guest = host.make_guest(a_machine(host.gic_version()), {.images = images});
        ASSERT_TRUE(guest.has_value()) << guest.error().message.view();
        ASSERT_TRUE((*guest)->start().has_value());
        host.events().signal(0x20);
        host.run();
        EXPECT_EQ(heard.all, 0x20U);
        EXPECT_EQ(late.all, 0U);
    }
    EXPECT_EQ(shared().violation, "");
    EXPECT_EQ(shared().left, 0u);
}

/// Starts vCPU 7 and waits; that one turns the machine off.
constexpr u32 kCpuOn = 0xc400'0003;
constexpr u32 adr(u32 rd, u32 words_ahead) { return 0x1000'0000 | words_ahead << 5 | rd; }
constexpr std::array kStartingAnother{
    A64_LOAD(0U, kCpuOn),   A64_LOAD(1U, 7U), adr(2, 6), A64_LOAD(3U, 0U), A64_SMC, A64_WFI, A64_B(-1),
    A64_CALL(0x8400'0008U), A64_B(0)};

// A vCPU is a thread: there may be more of them than the kernel has CPUs.
TEST(Sel4Program, HasGuestsWithMoreVcpusThanCpus) {
    constexpr u32 kVcpus = 8;
    static_assert(kVcpus > CONFIG_MAX_NUM_NODES);
    shared() = {};
    {
        program::Host host;
        ASSERT_TRUE(host.open().has_value());
        const std::span<const u8> images[] = {
            {reinterpret_cast<const u8 *>(kStartingAnother.data()), sizeof(kStartingAnother)}};
        auto description = a_machine(host.gic_version());
        description.vcpu_count = kVcpus;
        description.images[0].size_bytes = sizeof(kStartingAnother);
        const auto guest = host.make_guest(description, {.images = images});
        ASSERT_TRUE(guest.has_value()) << guest.error().message.view();
        ASSERT_TRUE((*guest)->start().has_value());
        host.run();
        EXPECT_EQ((*guest)->stop_reason(), StopReason::powered_off);
    }
    EXPECT_EQ(shared().violation, "");
    EXPECT_EQ(shared().left, 0u);
}

TEST(Sel4Program, NamesTheLimitThatAGuestIsBeyond) {
    shared() = {};
    {
        program::Host host;
        ASSERT_TRUE(host.open().has_value());
        const std::span<const u8> images[] = {{reinterpret_cast<const u8 *>(kKernel.data()), sizeof(kKernel)}};
        auto description = a_machine(host.gic_version());
        std::vector<Owned<program::Guest>> guests;
        for (usize i = 0; i < machine::kMaxVms; ++i) {
            auto guest = host.make_guest(description, {.images = images});
            ASSERT_TRUE(guest.has_value()) << guest.error().message.view();
            guests.push_back(*std::move(guest));
        }
        EXPECT_EQ(host.make_guest(description, {.images = images}).error().message.view(),
                  "at most 8 VMs share the host's console");
        Dropped dropped;
        while (guests.size() < Executor::kMaxVms) {
            auto guest = host.make_guest(description, {.images = images, .console = &dropped});
            ASSERT_TRUE(guest.has_value()) << guest.error().message.view();
            guests.push_back(*std::move(guest));
        }
        EXPECT_EQ(host.make_guest(description, {.images = images, .console = &dropped}).error().message.view(),
                  "a program has at most 16 VMs");
    }
    EXPECT_EQ(shared().violation, "");
    EXPECT_EQ(shared().left, 0u);
}

} // namespace
} // namespace sel4vm::sel4_double
