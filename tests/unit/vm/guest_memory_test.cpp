// SPDX-License-Identifier: BSD-2-Clause
//
// Guest memory: bounds, straddling, ROM, demand mapping, and what happens when the host refuses.
#include <gtest/gtest.h>
#include <support/vm_fixture.hpp>

#include <algorithm>

namespace sel4vm::test {
namespace {

struct GuestMemoryTest : testing::Test {
    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    GuestMemory memory{space, allocator, LockMode::none};
    static constexpr u64 kBase = 0x4000'0000;
};

TEST_F(GuestMemoryTest, ValuesComeBackAtEveryWidth) {
    ASSERT_TRUE(memory.add(range(kBase, 2 * kMiB), RegionKind::ram));
    ASSERT_TRUE(memory.store<u64>(Gpa{kBase + 8}, 0x1122'3344'5566'7788));
    EXPECT_EQ(*memory.load<u8>(Gpa{kBase + 8}), 0x88);
    EXPECT_EQ(*memory.load<u16>(Gpa{kBase + 10}), 0x5566);
    EXPECT_EQ(*memory.load<u32>(Gpa{kBase + 12}), 0x1122'3344u);
    EXPECT_EQ(*memory.load<u64>(Gpa{kBase}), 0u);
}

TEST_F(GuestMemoryTest, NothingOutsideARegionIsReachable) {
    ASSERT_TRUE(memory.add(range(kBase, 0x1000), RegionKind::ram));
    EXPECT_EQ(memory.load<u32>(Gpa{kBase + 0x1000}).error(), MemoryError::unmapped);
    EXPECT_EQ(memory.load<u32>(Gpa{kBase - 4}).error(), MemoryError::unmapped);
    std::array<u8, 8> bytes{};
    EXPECT_EQ(memory.read(Gpa{kBase + 0xffc}, bytes).error(), MemoryError::unmapped);
    EXPECT_EQ(memory.write(Gpa{~u64{0} - 3}, bytes).error(), MemoryError::unmapped);
    EXPECT_EQ(*memory.load<u32>(Gpa{kBase + 0xffc}), 0u) << "a refused write must not write a part";
}

TEST_F(GuestMemoryTest, MisalignedAtomicAccessIsRefused) {
    ASSERT_TRUE(memory.add(range(kBase, 0x1000), RegionKind::ram));
    EXPECT_EQ(memory.load<u32>(Gpa{kBase + 2}).error(), MemoryError::misaligned);
}

TEST_F(GuestMemoryTest, CopiesStraddleRegionsAndHostBlocks) {
    space.limit_block(0x3000);
    ASSERT_TRUE(memory.add(range(kBase, 0x8000), RegionKind::ram));
    ASSERT_TRUE(memory.add(range(kBase + 0x8000, 0x1000), RegionKind::ram));
    EXPECT_EQ(space.live_blocks(), 4u);
    std::array<u8, 0x9000> out{};
    std::array<u8, 0x9000> in{};
    for (usize i = 0; i < in.size(); ++i)
        in[i] = static_cast<u8>(i * 7 + i / 256);
    ASSERT_TRUE(memory.write(Gpa{kBase}, in));
    ASSERT_TRUE(memory.read(Gpa{kBase}, out));
    EXPECT_EQ(in, out);
    EXPECT_TRUE(memory.contains(Gpa{kBase}, 0x9000));
    EXPECT_FALSE(memory.contains(Gpa{kBase}, 0x9001));
}

TEST_F(GuestMemoryTest, RomIsReadOnlyForEveryoneButTheLoader) {
    ASSERT_TRUE(memory.add(range(0, 0x2000), RegionKind::rom));
    const std::array<u8, 4> image{1, 2, 3, 4};
    ASSERT_TRUE(memory.load_image(Gpa{0x10}, image));
    EXPECT_EQ(*memory.load<u32>(Gpa{0x10}), 0x0403'0201u);
    EXPECT_EQ(memory.store<u32>(Gpa{0x10}, 0).error(), MemoryError::read_only);
    EXPECT_EQ(memory.write(Gpa{0x10}, image).error(), MemoryError::read_only);
    EXPECT_EQ(memory.touch(Gpa{0x10}, MemoryAccess::write), GuestMemory::Touch::read_only);
    EXPECT_EQ(space.page(Gpa{0})->protection, Protection::read_execute);
    EXPECT_EQ(space.cleaned_bytes(), 4u);
}

TEST_F(GuestMemoryTest, ARomDeviceIsHiddenFromTheGuestAndShownAgain) {
    space.limit_block(0x3000);
    ASSERT_TRUE(memory.add(range(0, 0x4000), RegionKind::rom_device));
    ASSERT_TRUE(memory.add(range(kBase, 0x1000), RegionKind::rom));
    EXPECT_EQ(space.page(Gpa{0x3000})->protection, Protection::read_execute);
    const std::array<u8, 4> image{1, 2, 3, 4};
    ASSERT_TRUE(memory.hide(Gpa{0}));
    ASSERT_TRUE(memory.hide(Gpa{0})) << "it is hidden already";
    EXPECT_EQ(space.page(Gpa{0}), nullptr);
    EXPECT_EQ(space.page(Gpa{0x3000}), nullptr);
    ASSERT_TRUE(memory.load_image(Gpa{0x3ffc}, image)) << "the VMM sees it all the same";
    EXPECT_EQ(memory.store<u32>(Gpa{0x3ffc}, 0).error(), MemoryError::read_only);
    EXPECT_EQ(*memory.load<u32>(Gpa{0x3ffc}), 0x0403'0201u);
    ASSERT_TRUE(memory.show(Gpa{0}));
    ASSERT_TRUE(memory.show(Gpa{0}));
    EXPECT_EQ(space.page(Gpa{0})->protection, Protection::read_execute);
    EXPECT_EQ(space.page(Gpa{0x3000})->protection, Protection::read_execute);
    EXPECT_FALSE(memory.hide(Gpa{0x1000})) << "none starts there";
    EXPECT_FALSE(memory.hide(Gpa{kBase})) << "other memory is not hidden";
    EXPECT_FALSE(memory.show(Gpa{kBase}));
    ASSERT_TRUE(memory.hide(Gpa{0}));
    space.fail_at(2);
    EXPECT_FALSE(memory.show(Gpa{0}));
    EXPECT_EQ(space.page(Gpa{0}), nullptr) << "all or nothing";
    EXPECT_TRUE(memory.remove(Gpa{0}));
    EXPECT_EQ(space.live_blocks(), 1u);
}

TEST_F(GuestMemoryTest, DemandRamIsMappedAndClearedAtItsFirstTouch) {
    ASSERT_TRUE(memory.add(range(kBase, 8 * kMiB), RegionKind::demand_ram));
    EXPECT_EQ(space.mapped_pages(), 0u);
    for (int part = 0; part < 8; ++part)
        EXPECT_EQ(memory.touch(Gpa{kBase + 3 * kMiB}, MemoryAccess::read), GuestMemory::Touch::mapped_now);
    EXPECT_EQ(memory.touch(Gpa{kBase + 3 * kMiB}, MemoryAccess::write), GuestMemory::Touch::mapped_before);
    EXPECT_EQ(space.mapped_pages(), 512u);
    EXPECT_EQ(*memory.load<u64>(Gpa{kBase + 3 * kMiB}), 0u);
    EXPECT_EQ(*memory.load<u64>(Gpa{kBase + 7 * kMiB}), 0u) << "the VMM's own access counts as a touch";
    EXPECT_EQ(space.mapped_pages(), 1024u);
}

TEST_F(GuestMemoryTest, DemandRamIsBroughtInPartByPart) {
    ASSERT_TRUE(memory.add(range(kBase, 2 * kMiB), RegionKind::ram));
    EXPECT_TRUE(memory.bring_in(Gpa{kBase}, 2 * kMiB));
    ASSERT_TRUE(memory.add(range(kBase + 2 * kMiB, 8 * kMiB), RegionKind::demand_ram));
    const Gpa across{kBase + 2 * kMiB - 8};
    for (int part = 0; part < 8; ++part)
        EXPECT_FALSE(memory.bring_in(across, 16));
    EXPECT_TRUE(memory.bring_in(across, 16));
    EXPECT_EQ(space.mapped_pages(), 1024u);
    EXPECT_TRUE(memory.bring_in(across, 8));
    for (int part = 0; part < 16; ++part)
        EXPECT_FALSE(memory.bring_in(Gpa{kBase + 6 * kMiB - 8}, 16));
    EXPECT_TRUE(memory.bring_in(Gpa{kBase + 6 * kMiB - 8}, 16));
    EXPECT_TRUE(memory.bring_in(Gpa{0}, ~u64{0})) << "no memory: whoever uses it is told";
    EXPECT_TRUE(memory.bring_in(Gpa{~u64{0}}, 16));
    for (int part = 0; part < 7; ++part)
        EXPECT_FALSE(memory.bring_in(Gpa{kBase + 8 * kMiB}, 1));
    space.fail_at(1);
    EXPECT_TRUE(memory.bring_in(Gpa{kBase + 8 * kMiB}, 1)) << "cannot be mapped";
}

TEST_F(GuestMemoryTest, DemandRamSaysWhenTheHostRefuses) {
    ASSERT_TRUE(memory.add(range(kBase, 4 * kMiB), RegionKind::demand_ram));
    for (int part = 0; part < 7; ++part)
        EXPECT_EQ(memory.touch(Gpa{kBase}, MemoryAccess::read), GuestMemory::Touch::mapped_now);
    space.fail_at(1);
    EXPECT_EQ(memory.touch(Gpa{kBase}, MemoryAccess::read), GuestMemory::Touch::refused);
    EXPECT_EQ(memory.touch(Gpa{kBase}, MemoryAccess::read), GuestMemory::Touch::mapped_now);
}

TEST_F(GuestMemoryTest, WrongRegionsAreRefusedWithTheirReason) {
    EXPECT_EQ(memory.add(range(kBase + 1, 0x1000), RegionKind::ram).error(), RegionError::misaligned);
    EXPECT_EQ(memory.add(range(kBase, 0x1001), RegionKind::ram).error(), RegionError::misaligned);
    EXPECT_EQ(memory.add(range(u64{1} << 40, 0x1000), RegionKind::ram).error(), RegionError::out_of_range);
    ASSERT_TRUE(memory.add(range(kBase, 0x2000), RegionKind::ram));
    EXPECT_EQ(memory.add(range(kBase + 0x1000, 0x1000), RegionKind::ram).error(), RegionError::overlap);
    space.limit_total(0x1000);
    EXPECT_EQ(memory.add(range(0, 0x2000), RegionKind::ram).error(), RegionError::out_of_memory);
}

TEST_F(GuestMemoryTest, RemovedRegionLeavesNothingBehind) {
    ASSERT_TRUE(memory.add(range(kBase, 4 * kMiB), RegionKind::ram));
    ASSERT_TRUE(memory.remove(Gpa{kBase}));
    EXPECT_FALSE(memory.remove(Gpa{kBase}));
    EXPECT_EQ(space.mapped_pages(), 0u);
    EXPECT_EQ(space.live_blocks(), 0u);
    EXPECT_TRUE(memory.add(range(kBase, 4 * kMiB), RegionKind::ram));
}

TEST_F(GuestMemoryTest, EveryHostFailureWhileAddingLeavesNothingBehind) {
    space.limit_block(kMiB);
    for (const RegionKind kind : {RegionKind::ram, RegionKind::rom, RegionKind::demand_ram}) {
        unsigned failures = 0;
        for (usize n = 1;; ++n) {
            space.fail_at(n);
            const auto added = memory.add(range(kBase, 3 * kMiB), kind);
            if (added && space.requests() > 0 && n > 8)
                break;
            if (!added) {
                ++failures;
                EXPECT_EQ(space.mapped_pages(), 0u);
                EXPECT_EQ(space.live_blocks(), 0u);
                EXPECT_EQ(memory.region_count(), 0u);
            } else {
                ASSERT_TRUE(memory.remove(Gpa{kBase}));
            }
        }
        EXPECT_GE(failures, 3u);
        space.fail_at(0);
        ASSERT_TRUE(memory.remove(Gpa{kBase}));
    }
    allocator.fail_at(1);
    EXPECT_EQ(memory.add(range(kBase, 2 * kMiB), RegionKind::demand_ram).error(), RegionError::out_of_memory);
    EXPECT_EQ(space.live_blocks(), 0u);
    EXPECT_EQ(allocator.live(), 0u);
}

TEST_F(GuestMemoryTest, ARegionTakesNoMoreOfTheHostThanItsSize) {
    for (const u64 bytes : {u64{kPageBytes}, 2 * kMiB, 2 * kMiB + kPageBytes}) {
        for (const bool fragmented : {false, true}) { // then there is no aligned block, and any must do
            space.limit_total(bytes);
            space.fail_at(fragmented && bytes >= 2 * kMiB ? 1 : 0);
            ASSERT_TRUE(memory.add(range(kBase, bytes), RegionKind::ram)) << bytes << fragmented;
            space.fail_at(0);
            ASSERT_TRUE(memory.remove(Gpa{kBase}));
        }
    }
}

TEST_F(GuestMemoryTest, ClearingSparesRom) {
    ASSERT_TRUE(memory.add(range(0, 0x1000), RegionKind::rom));
    ASSERT_TRUE(memory.add(range(kBase, 0x1000), RegionKind::ram));
    const std::array<u8, 1> one{1};
    ASSERT_TRUE(memory.load_image(Gpa{0}, one));
    ASSERT_TRUE(memory.load_image(Gpa{kBase}, one));
    GuestMemory::Cleared until;
    EXPECT_TRUE(memory.clear_ram(until, 0x1000));
    EXPECT_EQ(*memory.load<u8>(Gpa{0}), 1);
    EXPECT_EQ(*memory.load<u8>(Gpa{kBase}), 0);
}

TEST_F(GuestMemoryTest, ClearingGoesInStepsOfTheSizeThatIsAskedFor) {
    ASSERT_TRUE(memory.add(range(0, 0x3000), RegionKind::ram));
    ASSERT_TRUE(memory.add(range(kBase, 0x3000), RegionKind::ram));
    const std::vector<u8> ones(0x3000, 1);
    ASSERT_TRUE(memory.load_image(Gpa{0}, ones));
    ASSERT_TRUE(memory.load_image(Gpa{kBase}, ones));
    const auto clear_bytes = [&] {
        std::vector<u8> bytes(0x3000);
        usize clear = 0;
        for (const u64 base : {u64{0}, kBase}) {
            EXPECT_TRUE(memory.read(Gpa{base}, bytes));
            clear += static_cast<usize>(std::count(bytes.begin(), bytes.end(), u8{0}));
        }
        return clear;
    };
    GuestMemory::Cleared until;
    EXPECT_FALSE(memory.clear_ram(until, 0x2000));
    EXPECT_EQ(clear_bytes(), 0x2000u);
    EXPECT_FALSE(memory.clear_ram(until, 0x2000));
    EXPECT_EQ(clear_bytes(), 0x4000u);
    EXPECT_TRUE(memory.clear_ram(until, 0x2000));
    EXPECT_EQ(clear_bytes(), 0x6000u);
}

TEST_F(GuestMemoryTest, ClearingDoesNotLookForEverForWhatNobodyTouched) {
    constexpr u64 kBytes = 256 * kMiB;
    ASSERT_TRUE(memory.add(range(kBase, kBytes), RegionKind::demand_ram));
    GuestMemory::Cleared until;
    int steps = 1;
    while (!memory.clear_ram(until, 16 * 512)) // counts 512 bytes for each 2 MiB
        ++steps;
    EXPECT_EQ(steps, 8);
}

TEST_F(GuestMemoryTest, ATouchOfDemandRamClearsAPartAndMapsAfterTheLast) {
    ASSERT_TRUE(memory.add(range(kBase, 4 * kMiB), RegionKind::demand_ram));
    const usize before = space.mapped_pages();
    for (int part = 0; part < 8; ++part) {
        EXPECT_EQ(space.mapped_pages(), before);
        EXPECT_EQ(memory.touch(Gpa{kBase + 5}, MemoryAccess::write), GuestMemory::Touch::mapped_now);
    }
    EXPECT_EQ(space.mapped_pages(), before + 512);
    EXPECT_EQ(memory.touch(Gpa{kBase + 5}, MemoryAccess::write), GuestMemory::Touch::mapped_before);
}

TEST_F(GuestMemoryTest, AnAdoptedBlockIsRamAndIsFreedWithItsRegion) {
    auto block = space.allocate_ram(0x4000, kPageBytes, Clearing::cleared);
    ASSERT_TRUE(block);
    ASSERT_TRUE(memory.adopt(range(kBase, 0x3000), *block));
    EXPECT_TRUE(memory.contains(Gpa{kBase}, 0x3000));
    EXPECT_FALSE(memory.contains(Gpa{kBase}, 0x3001));
    ASSERT_TRUE(memory.store<u32>(Gpa{kBase + 0x2000}, 5));
    EXPECT_EQ(space.page(Gpa{kBase + 0x2000})->phys, block->phys.value() + 0x2000);
    EXPECT_TRUE(memory.remove(Gpa{kBase}));
    EXPECT_EQ(space.live_blocks(), 0u);
    EXPECT_EQ(space.mapped_pages(), 0u);
}

TEST_F(GuestMemoryTest, ABlockThatCannotBeAdoptedRemainsTheCallers) {
    ASSERT_TRUE(memory.add(range(kBase, 0x1000), RegionKind::ram));
    auto block = space.allocate_ram(0x1000, kPageBytes, Clearing::cleared);
    ASSERT_TRUE(block);
    EXPECT_EQ(memory.adopt(range(kBase, 0x1000), *block).error(), RegionError::overlap);
    space.fail_at(1);
    EXPECT_FALSE(memory.adopt(range(kBase + 0x1000, 0x1000), *block));
    EXPECT_FALSE(memory.contains(Gpa{kBase + 0x1000}, 1));
    space.free_ram(*block);
}

TEST_F(GuestMemoryTest, AVisitorSeesPartsWithinPagesInOrder) {
    space.limit_block(0x1800 + 0x800); // two pages
    ASSERT_TRUE(memory.add(range(kBase, 0x4000), RegionKind::ram));
    struct Visitor final : GuestMemory::Visitor {
        bool part(Gpa at, volatile u8 *window, u64 done, u64 count) override {
            seen.push_back({at.value(), done, count});
            window[0] = static_cast<u8>(seen.size());
            return seen.size() < limit;
        }
        std::vector<std::array<u64, 3>> seen;
        usize limit = 99;
    } visitor;
    EXPECT_TRUE(*memory.visit(Gpa{kBase + 0xf00}, 0x2200, visitor));
    const std::vector<std::array<u64, 3>> expected{{kBase + 0xf00, 0, 0x100},
                                                   {kBase + 0x1000, 0x100, 0x1000},
                                                   {kBase + 0x2000, 0x1100, 0x1000},
                                                   {kBase + 0x3000, 0x2100, 0x100}};
    EXPECT_EQ(visitor.seen, expected);
    EXPECT_EQ(*memory.load<u8>(Gpa{kBase + 0x2000}), 3);
    visitor.seen.clear();
    visitor.limit = 2;
    EXPECT_FALSE(*memory.visit(Gpa{kBase}, 0x4000, visitor));
    EXPECT_EQ(visitor.seen.size(), 2u);
    visitor.seen.clear();
    EXPECT_EQ(memory.visit(Gpa{kBase + 0x3000}, 0x1001, visitor).error(), MemoryError::unmapped);
    EXPECT_TRUE(visitor.seen.empty());
    const u64 before = space.cleaned_bytes();
    ASSERT_TRUE(memory.clean(Gpa{kBase + 0x1f00}, 0x200));
    EXPECT_EQ(space.cleaned_bytes() - before, 0x200u);
}

} // namespace
} // namespace sel4vm::test
