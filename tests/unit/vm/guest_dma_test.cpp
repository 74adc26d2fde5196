// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/guest_dma.hpp>

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/heap_allocator.hpp>

namespace sel4vm {
namespace {

struct GuestDmaTest : testing::Test {
    GuestDmaTest() {
        EXPECT_TRUE(memory.add(*GpaRange::make(Gpa{0x1000}, kPageBytes), RegionKind::ram));
        EXPECT_TRUE(memory.add(*GpaRange::make(Gpa{0x2000}, kPageBytes), RegionKind::ram));
        EXPECT_TRUE(memory.add(*GpaRange::make(Gpa{0x3000}, kPageBytes), RegionKind::rom));
    }
    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    GuestMemory memory{space, allocator, LockMode::none};
    GuestDma dma{memory};
    std::array<u8, 8> bytes{1, 2, 3, 4, 5, 6, 7, 8};
    std::array<u8, 8> back{};
};

TEST_F(GuestDmaTest, CopiesGoFromOneRegionIntoTheNext) {
    EXPECT_TRUE(dma.write(Gpa{0x1ffb}, bytes));
    EXPECT_TRUE(dma.read(Gpa{0x1ffb}, back));
    EXPECT_EQ(back, bytes);
    EXPECT_EQ(*memory.load<u8>(Gpa{0x2000}), 6U);
}

TEST_F(GuestDmaTest, NothingIsWrittenWhenAByteCannotBe) {
    EXPECT_EQ(dma.write(Gpa{0x2ffc}, bytes).error(), DmaError::read_only);
    EXPECT_EQ(*memory.load<u8>(Gpa{0x2ffc}), 0U);
    EXPECT_TRUE(dma.read(Gpa{0x2ffc}, back)) << "ROM can be read";
    EXPECT_EQ(dma.read(Gpa{0x3ffc}, back).error(), DmaError::unmapped);
    EXPECT_EQ(dma.write(Gpa{0xffc}, bytes).error(), DmaError::unmapped);
    EXPECT_EQ(dma.read(Gpa{~u64{0} - 3}, back).error(), DmaError::unmapped) << "it wraps";
}

TEST_F(GuestDmaTest, NothingAtAllIsAlwaysGood) {
    EXPECT_TRUE(dma.read(Gpa{0x9999}, {}));
    EXPECT_TRUE(dma.write(Gpa{0x9999}, {}));
}

} // namespace
} // namespace sel4vm
