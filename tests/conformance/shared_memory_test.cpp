// SPDX-License-Identifier: BSD-2-Clause
//
// Guests of a C++ program that share memory, on the fake host: what one writes the other reads, a ring wakes who waits, a reset of one leaves the
// memory alone, and the end of one leaves it to the other.
#include <hosts/fake/program_host.hpp>
#include <sel4vm/program/host.hpp>
#include <suite/a64.h>

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace sel4vm::test {
namespace {

struct FakeMachine final : fake::HostBase {};

constexpr u32 kShared = 0x5000'0000;
constexpr u32 kDoorbell = 0x0b00'0000;
constexpr u32 kRam = 0x4000'0000;
constexpr u32 kResult = kRam + 0x10'0000;

std::string file_of(std::initializer_list<u32> code) {
    const std::vector<u32> words(code);
    std::string bytes(words.size() * sizeof(u32), '\0');
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
}

machine::MachineDescription side_of(std::string_view name, u32 side,
                                    machine::SharedAccess access = machine::SharedAccess::read_write,
                                    u64 size_bytes = kMiB) {
    return {.name = name,
            .memory = {{.base = Gpa{kRam}, .size_bytes = 8 * kMiB}},
            .images = {{.kind = machine::ImageKind::kernel, .source = name}},
            .shared = {{.name = "ring",
                        .size_bytes = size_bytes,
                        .side = side,
                        .access = access,
                        .base = Gpa{kShared},
                        .doorbell = Gpa{kDoorbell}}}};
}

class SharedMemory : public testing::Test {
protected:
    void SetUp() override {
        // Writes, reads back, adds one to it, and turns itself off.
        machine.add_file("writer",
                         file_of({A64_LOAD(1U, kShared), A64_LOAD(2U, 0x1234'5678U), A64_LDR_X(3U, 1U, 0U),
                                  A64_LOAD(4U, kResult), A64_STR_X(3U, 4U, 0U), A64_STR_X(2U, 1U, 0U),
                                  A64_LDR_X(3U, 1U, 0U), A64_STR_X(3U, 4U, 1U), A64_CALL(0x8400'0008U), A64_B(0)}));
        machine.add_file("reader", file_of({A64_LOAD(1U, kShared), A64_LDR_X(3U, 1U, 0U), A64_LOAD(4U, kResult),
                                            A64_STR_X(3U, 4U, 0U), A64_CALL(0x8400'0008U), A64_B(0)}));
        ASSERT_TRUE(host.open(fake_host));
    }
    Owned<program::Guest> make(const machine::MachineDescription &description) {
        auto guest = host.make_guest(description);
        EXPECT_TRUE(guest) << (guest ? "" : guest.error().message.view());
        return guest ? *std::move(guest) : Owned<program::Guest>{};
    }
    void run(program::Guest &guest) {
        ASSERT_TRUE(guest.vm().state() == VmState::stopped ? guest.vm().reset().has_value()
                                                           : guest.start().has_value());
        static_cast<void>(guest.vm().settle());
        host.run();
        ASSERT_EQ(guest.stop_reason(), StopReason::powered_off);
    }
    static u64 result(program::Guest &guest, u64 index = 0) {
        return guest.vm().memory().load<u64>(Gpa{kResult + 8 * index}).value_or(~u64{0});
    }
    std::string refusal(const machine::MachineDescription &description) {
        const auto guest = host.make_guest(description);
        return guest ? "none"
                     : std::string(guest.error().key.view()) + ": " + std::string(guest.error().message.view());
    }

    FakeMachine machine;
    fake::ProgramHost fake_host{machine};
    program::Host host;
};

TEST_F(SharedMemory, IsZeroAtFirstAndThenWhatTheOtherHasWritten) {
    const auto reader = make(side_of("reader", 0));
    const auto writer = make(side_of("writer", 1));
    run(*writer);
    EXPECT_EQ(result(*writer, 0), 0u);
    EXPECT_EQ(result(*writer, 1), 0x1234'5678u);
    run(*reader);
    EXPECT_EQ(result(*reader), 0x1234'5678u);
    EXPECT_EQ(fake_host.shared_ram()->live_blocks(), 1u);
}

TEST_F(SharedMemory, AWriteOfWhoMayOnlyReadIsIgnoredAndTheVmmDoesNotWriteForIt) {
    const auto writer = make(side_of("writer", 0, machine::SharedAccess::read_only));
    const auto reader = make(side_of("reader", 1));
    run(*writer);
    EXPECT_EQ(result(*writer, 1), 0u);
    run(*reader);
    EXPECT_EQ(result(*reader), 0u);
    GuestMemory &memory = writer->vm().memory();
    constexpr std::array<u8, 4> kBytes{1, 2, 3, 4};
    EXPECT_FALSE(memory.write(Gpa{kShared}, kBytes));
    EXPECT_FALSE(memory.store<u32>(Gpa{kShared}, 1));
    EXPECT_FALSE(memory.load_image(Gpa{kShared + 0x1000}, kBytes));
    EXPECT_EQ(memory.load<u32>(Gpa{kShared}).value_or(1), 0u);
    EXPECT_TRUE(reader->vm().memory().store<u32>(Gpa{kShared}, 7));
    EXPECT_EQ(memory.load<u32>(Gpa{kShared}).value_or(0), 7u);
}

TEST_F(SharedMemory, AResetOfOneLeavesItAsItIs) {
    const auto writer = make(side_of("writer", 0));
    const auto reader = make(side_of("reader", 1));
    run(*writer);
    ASSERT_TRUE(reader->vm().memory().store<u64>(Gpa{kShared + 8}, 99));
    run(*writer);
    EXPECT_EQ(result(*writer, 0), 0x1234'5678u) << "from before its reset";
    EXPECT_EQ(reader->vm().memory().load<u64>(Gpa{kShared + 8}).value_or(0), 99u);
}

TEST_F(SharedMemory, LivesUntilTheLastHasGoneAndIsClearThen) {
    auto writer = make(side_of("writer", 0));
    auto reader = make(side_of("reader", 1));
    run(*writer);
    writer.reset();
    run(*reader);
    EXPECT_EQ(result(*reader), 0x1234'5678u);
    writer = make(side_of("writer", 0)); // a new one at the side that is free
    run(*writer);
    EXPECT_EQ(result(*writer, 0), 0x1234'5678u);
    writer.reset();
    reader.reset();
    EXPECT_EQ(fake_host.shared_ram()->live_blocks(), 0u);
    reader = make(side_of("reader", 0));
    run(*reader);
    EXPECT_EQ(result(*reader), 0u);
    reader.reset();
    EXPECT_EQ(machine.live(), 0u);
}

TEST_F(SharedMemory, WhatDoesNotGoTogetherIsRefusedAndLeavesNothing) {
    const auto writer = make(side_of("writer", 0));
    const auto live = machine.live();
    EXPECT_EQ(refusal(side_of("reader", 1, machine::SharedAccess::read_write, 2 * kMiB)),
              "shared.ring: another VM shares it with another size");
    EXPECT_EQ(refusal(side_of("reader", 0)), "shared.ring: another VM is at that side of it");
    auto elsewhere = side_of("reader", 1);
    elsewhere.shared[0].base = Gpa{kRam};
    EXPECT_EQ(refusal(elsewhere).substr(0, 25), "vm[0].shared.ring.base: i");
    auto another = side_of("reader", 1);
    another.shared[0].name = "large";
    fake_host.shared_ram()->limit_block(kPageBytes);
    EXPECT_EQ(refusal(another), "shared.large: the host has not enough memory left for it, in one piece");
    EXPECT_EQ(machine.live(), live);
    EXPECT_EQ(fake_host.shared_ram()->live_blocks(), 1u);
}

TEST_F(SharedMemory, WhoWaitsForAPausedOneIsNotGivenUp) {
    machine.add_file("waiter", file_of({A64_WFI, A64_B(-1)}));
    const auto waiter = make(side_of("waiter", 0));
    const auto writer = make(side_of("writer", 1));
    ASSERT_TRUE(waiter->start());
    host.run();
    EXPECT_EQ(waiter->vm().state(), VmState::running) << "the other one, which may ring, has not started";
    run(*writer);
    EXPECT_EQ(waiter->stop_reason(), StopReason::guest_crash) << "now nobody is left who could";
}

} // namespace
} // namespace sel4vm::test
