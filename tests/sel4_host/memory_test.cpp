// SPDX-License-Identifier: BSD-2-Clause
//
// Guest memory on the double: windows of the VMM that cannot be mapped as a whole, pages of different sizes, fixed addresses.
#include <sel4_host/double/host.hpp>

#include <hosts/sel4/guest_space.hpp>
#include <hosts/sel4/services.hpp>

#include <gtest/gtest.h>

namespace sel4vm::sel4 {
namespace {

using sel4_double::Refusals;

class Sel4Memory : public testing::Test {
protected:
    Sel4Memory() { EXPECT_TRUE(space->create(simple)); }
    ~Sel4Memory() override {
        space.reset();
        EXPECT_EQ(environment.kernel.violation, "");
        EXPECT_EQ(environment.live(), at_start);
    }
    static GpaRange range(u64 base, u64 size_bytes) { return *GpaRange::make(Gpa{base}, size_bytes); }

    sel4_double::Environment environment;
    usize at_start = environment.live();
    vspace_t vspace = sel4_double::VmmSpace::interface(environment);
    simple_t simple{&environment};
    std::optional<GuestSpace> space{std::in_place,
                                    sel4::Environment{&environment.vka, &vspace, &CHeap::instance(), nullptr}};
};

TEST_F(Sel4Memory, AWindowThatCannotBeMappedAsAWholeLeavesNoPages) {
    const usize before = environment.live();
    Refusals &refusals = environment.kernel.refusals;
    const usize start = refusals.count(Refusals::Which::calls);
    auto block = space->allocate_ram(4 * kPageBytes, kPageBytes, Clearing::cleared);
    ASSERT_TRUE(block);
    const usize calls = refusals.count(Refusals::Which::calls) - start;
    space->free_ram(*block);
    for (usize n = 1; n <= calls; ++n) {
        refusals.refuse_at(Refusals::Which::calls, n);
        block = space->allocate_ram(4 * kPageBytes, kPageBytes, Clearing::cleared);
        if (block)
            space->free_ram(*block);
        ASSERT_EQ(environment.kernel.violation, "") << n;
        ASSERT_EQ(environment.live(), before) << n;
    }
}

TEST_F(Sel4Memory, AWindowOfLargePagesGoesAroundTablesOfSmallOnes) {
    // The second half of the lowest place has such a table, so that half of the window is mapped before it is found out.
    auto first = space->allocate_ram(2 * kMiB, 2 * kMiB, Clearing::cleared);
    auto small = space->allocate_ram(kPageBytes, kPageBytes, Clearing::cleared);
    ASSERT_TRUE(first && small);
    space->free_ram(*first);
    space->free_ram(*small);
    auto large = space->allocate_ram(4 * kMiB, 2 * kMiB, Clearing::cleared);
    ASSERT_TRUE(large);
    EXPECT_EQ(large->size_bytes, 4 * kMiB);
    large->window[4 * kMiB - 1] = 0x5a;
    ASSERT_TRUE(space->map_ram(range(0x4000'0000, 4 * kMiB), *large, 0, Protection::read_write));
    EXPECT_EQ(*space->ram_at(Gpa{0x4000'0000 + 4 * kMiB - 1}, 1), 0x5a);
}

TEST_F(Sel4Memory, MemoryAtAPhysicalAddressIsThere) {
    auto block = space->allocate_ram_at(HostPhys{0x1'0020'0000}, 4 * kMiB);
    ASSERT_TRUE(block);
    EXPECT_EQ(block->phys, HostPhys{0x1'0020'0000});
    ASSERT_TRUE(space->map_ram(range(0x4000'0000, 4 * kMiB), *block, 0, Protection::read_write));
    EXPECT_EQ(*space->translate(Gpa{0x4012'3456}, 8), HostPhys{0x1'0032'3456});
    EXPECT_FALSE(space->allocate_ram_at(HostPhys{0x1'0020'0000}, kPageBytes)) << "it is taken";
}

TEST_F(Sel4Memory, WhatTheLastOwnerLeftInMemoryThatTheKernelDoesNotClearIsGone) {
    constexpr u64 kPhys = 0x0900'0000; // the kernel clears no device memory
    constexpr u64 kBytes = 4 * kPageBytes;
    u8 *const bytes = environment.kernel.memory.bytes(kPhys);
    std::fill_n(bytes, kBytes, u8{0xa5});
    auto block = space->allocate_ram_at(HostPhys{kPhys}, kBytes);
    ASSERT_TRUE(block);
    EXPECT_EQ(std::count(block->window, block->window + kBytes, u8{0}), static_cast<std::ptrdiff_t>(kBytes));
}

TEST_F(Sel4Memory, MemoryThatTheAllocatorHasOnlyAsDeviceMemoryIsTakenAndCleared) {
    environment.spare_ram_is_device_memory = true;
    auto block = space->allocate_ram(4 * kPageBytes, kPageBytes, Clearing::cleared);
    ASSERT_TRUE(block);
    EXPECT_FALSE(sel4_double::PhysicalMemory::is_ram(block->phys.value()));
    EXPECT_EQ(std::count(block->window, block->window + 4 * kPageBytes, u8{0}),
              static_cast<std::ptrdiff_t>(4 * kPageBytes));
}

TEST_F(Sel4Memory, ProtectionIsChangedInPlace) {
    auto block = space->allocate_ram(2 * kPageBytes, kPageBytes, Clearing::cleared);
    ASSERT_TRUE(block);
    ASSERT_TRUE(space->map_ram(range(0x1000, 2 * kPageBytes), *block, 0, Protection::read_write_execute));
    EXPECT_TRUE(space->protect(range(0x2000, kPageBytes), Protection::read_only));
    EXPECT_FALSE(space->protect(range(0x2000, 2 * kPageBytes), Protection::read_only)) << "not all of it is mapped";
    EXPECT_FALSE(space->map_ram(range(0x2000, kPageBytes), *block, 0, Protection::read_only)) << "it is mapped there";
    space->clean_to_guest(*block, 0xff0, 0x20);
    space->unmap(range(0x1000, 2 * kPageBytes));
    EXPECT_EQ(space->ram_at(Gpa{0x1000}, 1), nullptr);
}

} // namespace
} // namespace sel4vm::sel4
