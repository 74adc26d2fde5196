// SPDX-License-Identifier: BSD-2-Clause
#include "fake_table_memory.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace sel4vm::el2 {
namespace {

constexpr u64 kRw = 0xc0;
constexpr u64 kRo = 0x40;
constexpr u64 kNormal = 0x3c;
constexpr u64 kDevice = 0x04;
constexpr u64 kPermissionMask = 0xc0;
constexpr u64 k2M = 2 * kMiB;

struct PageTableTest : ::testing::Test {
    TableGeometry geometry{.start_level = 1, .input_bits = 40};
    FakeTableMemory memory{geometry};
    PageTable table{memory, geometry};

    void SetUp() override { ASSERT_TRUE(table.create()); }
    void TearDown() override {
        EXPECT_TRUE(memory.violations.empty()) << memory.violations.front();
        EXPECT_EQ(memory.stale_entries(), 0U);
        EXPECT_FALSE(memory.unpublished());
    }
    u64 size_at(u64 at) {
        auto leaf = table.lookup(at);
        return leaf ? leaf->size_bytes : 0;
    }
};

TEST_F(PageTableTest, TwoStartTablesServeFortyBits) {
    EXPECT_EQ(memory.live_tables(), 2U);
    EXPECT_EQ(table.root() % (2 * kPageBytes), 0U);
    ASSERT_TRUE(table.map((u64{1} << 40) - kPageBytes, kPageBytes, 0x1000, kRw));
    EXPECT_EQ(table.lookup((u64{1} << 40) - 1)->output, 0x1fffU);
}

TEST_F(PageTableTest, TheLargestBlockThatBothAddressesAllowIsUsed) {
    ASSERT_TRUE(table.map(kGiB, kGiB + k2M + kPageBytes, 4 * kGiB, kRw | kNormal));
    EXPECT_EQ(size_at(kGiB), kGiB);
    EXPECT_EQ(size_at(2 * kGiB), k2M);
    EXPECT_EQ(size_at(2 * kGiB + k2M), kPageBytes);
    EXPECT_EQ(size_at(2 * kGiB + k2M + kPageBytes), 0U);
    EXPECT_EQ(table.lookup(2 * kGiB + k2M + 0x123)->output, 5 * kGiB + k2M + 0x123);
    EXPECT_EQ(table.lookup(kGiB)->attributes, kRw | kNormal);
}

TEST_F(PageTableTest, OutputThatIsNotCongruentGetsPages) {
    ASSERT_TRUE(table.map(k2M, k2M, 4 * kGiB + kPageBytes, kRw));
    EXPECT_EQ(size_at(k2M), kPageBytes);
}

TEST_F(PageTableTest, TwoHundredFiftySixMegabytesAreAHundredTwentyEightBlocks) {
    memory.stores = 0;
    ASSERT_TRUE(table.map(kGiB, 256 * kMiB, 2 * kGiB, kRw));
    EXPECT_EQ(memory.stores, 128U + 1);
    EXPECT_TRUE(memory.invalidated.empty()) << "nothing was mapped before, so no TLB entry can exist";
}

TEST_F(PageTableTest, OverlapIsRefusedAndChangesNothing) {
    ASSERT_TRUE(table.map(k2M, k2M, kGiB, kRw));
    const usize stores = memory.stores;
    EXPECT_FALSE(table.map(0, 2 * k2M, kGiB, kRw));
    EXPECT_FALSE(table.map(k2M + kPageBytes, kPageBytes, kGiB, kRw));
    EXPECT_EQ(memory.stores, stores);
    EXPECT_EQ(size_at(0), 0U);
}

TEST_F(PageTableTest, RangesOutsideTheInputAddressesAreRefused) {
    EXPECT_FALSE(table.map(u64{1} << 40, kPageBytes, 0, kRw));
    EXPECT_FALSE(table.map((u64{1} << 40) - kPageBytes, 2 * kPageBytes, 0, kRw));
    EXPECT_FALSE(table.map(0, ~u64{0xfff}, 0, kRw));
    EXPECT_FALSE(table.map(1, kPageBytes, 0, kRw));
    EXPECT_FALSE(table.map(0, 1, 0, kRw));
    EXPECT_FALSE(table.map(0, 0, 0, kRw));
    EXPECT_FALSE(table.map(0, kPageBytes, 1, kRw));
    EXPECT_FALSE(table.map(0, 2 * kPageBytes, 0x0000'ffff'ffff'f000, kRw)) << "output beyond 48 bits";
    EXPECT_FALSE(table.reserve(u64{1} << 40, kPageBytes));
    EXPECT_FALSE(table.lookup(u64{1} << 40));
}

TEST_F(PageTableTest, UnmappingAPageOfABlockSplitsItWithBreakBeforeMake) {
    ASSERT_TRUE(table.map(k2M, k2M, kGiB, kRw));
    table.unmap(k2M + kPageBytes, kPageBytes);
    EXPECT_EQ(size_at(k2M), kPageBytes);
    EXPECT_EQ(size_at(k2M + kPageBytes), 0U);
    EXPECT_EQ(table.lookup(k2M + 2 * kPageBytes)->output, kGiB + 2 * kPageBytes);
    ASSERT_GE(memory.invalidated.size(), 2U);
    EXPECT_EQ(memory.invalidated.front(), std::make_pair(k2M, k2M)) << "the whole block, between break and make";
}

TEST_F(PageTableTest, UnmappingAPageOfAGigabyteSplitsTwice) {
    ASSERT_TRUE(table.map(kGiB, kGiB, 4 * kGiB, kRw));
    table.unmap(kGiB + 5 * k2M, kPageBytes);
    EXPECT_EQ(size_at(kGiB), k2M);
    EXPECT_EQ(size_at(kGiB + 5 * k2M), 0U);
    EXPECT_EQ(size_at(kGiB + 5 * k2M + kPageBytes), kPageBytes);
}

TEST_F(PageTableTest, WithoutMemoryToSplitTheWholeBlockGoes) {
    ASSERT_TRUE(table.map(k2M, 2 * k2M, kGiB, kRw));
    memory.tables_left = 0;
    table.unmap(k2M, kPageBytes);
    EXPECT_EQ(size_at(k2M + kPageBytes), 0U);
    EXPECT_EQ(size_at(2 * k2M), k2M);
    EXPECT_EQ(memory.invalidated.back(), std::make_pair(k2M, k2M)) << "as much is invalidated as was removed";
}

TEST_F(PageTableTest, PermissionsChangeInPlaceAndAreInvalidated) {
    ASSERT_TRUE(table.map(k2M, 2 * k2M, kGiB, kRw | kNormal));
    ASSERT_TRUE(table.change(k2M, k2M, kPermissionMask, kRo, ChangeKind::permissions));
    EXPECT_EQ(size_at(k2M), k2M) << "no split for a whole block";
    EXPECT_EQ(table.lookup(k2M)->attributes, kRo | kNormal);
    EXPECT_EQ(table.lookup(2 * k2M)->attributes, kRw | kNormal);
    EXPECT_EQ(memory.invalidated.size(), 1U);
}

TEST_F(PageTableTest, ChangingAPartOfABlockSplitsIt) {
    ASSERT_TRUE(table.map(k2M, k2M, kGiB, kRw | kNormal));
    ASSERT_TRUE(table.change(k2M + kPageBytes, kPageBytes, kPermissionMask, kRo, ChangeKind::permissions));
    EXPECT_EQ(table.lookup(k2M + kPageBytes)->attributes, kRo | kNormal);
    EXPECT_EQ(table.lookup(k2M + 2 * kPageBytes)->attributes, kRw | kNormal);
}

TEST_F(PageTableTest, ChangingAHoleIsRefusedAndChangesNothing) {
    ASSERT_TRUE(table.map(k2M, k2M, kGiB, kRw));
    EXPECT_FALSE(table.change(k2M, 2 * k2M, kPermissionMask, kRo, ChangeKind::permissions));
    EXPECT_EQ(table.lookup(k2M)->attributes, kRw);
    EXPECT_TRUE(memory.invalidated.empty());
}

TEST_F(PageTableTest, MemoryTypeChangesThroughAnInvalidEntry) {
    ASSERT_TRUE(table.map(k2M, 4 * k2M, kGiB, kRw | kNormal));
    const usize before = memory.stores;
    ASSERT_TRUE(table.change(k2M, 4 * k2M, 0x3c, kDevice, ChangeKind::memory_type));
    EXPECT_EQ(memory.stores - before, 8U) << "each block broken and made";
    EXPECT_EQ(memory.invalidated.size(), 1U);
    EXPECT_EQ(table.lookup(2 * k2M)->attributes, kRw | kDevice);
    EXPECT_EQ(table.lookup(2 * k2M)->output, kGiB + k2M);
}

TEST_F(PageTableTest, EmptyTablesAreGivenBack) {
    const usize before = memory.live_tables();
    ASSERT_TRUE(table.map(kGiB, 16 * kPageBytes, kGiB + kPageBytes, kRw));
    EXPECT_EQ(memory.live_tables(), before + 2);
    table.unmap(kGiB, 8 * kPageBytes);
    EXPECT_EQ(memory.live_tables(), before + 2);
    table.unmap(0, 4 * kGiB);
    EXPECT_EQ(memory.live_tables(), before);
}

TEST_F(PageTableTest, MapThatRunsOutOfTablesLeavesNothingBehind) {
    memory.tables_left = 3;
    EXPECT_FALSE(table.map(kGiB, 8 * k2M, kPageBytes, kRw));
    EXPECT_FALSE(table.lookup(kGiB));
    EXPECT_EQ(memory.live_tables(), 2U);
}

TEST_F(PageTableTest, ReservedRangeNeverRunsOutOfTables) {
    ASSERT_TRUE(table.reserve(kGiB - k2M, 4 * k2M));
    EXPECT_EQ(table.spare_tables(), 2U + 4U);
    memory.tables_left = 0;
    for (u64 at = kGiB - k2M; at < kGiB + 3 * k2M; at += kPageBytes)
        ASSERT_TRUE(table.map(at, kPageBytes, at + kPageBytes, kRw)) << at;
    EXPECT_EQ(table.spare_tables(), 0U);
    EXPECT_FALSE(table.map(kGiB + 3 * k2M, kPageBytes, 0, kRw)) << "outside the reservation";
    table.unmap(kGiB - k2M, 4 * k2M);
    EXPECT_EQ(table.spare_tables(), 6U) << "tables return to the reservation";
    ASSERT_TRUE(table.map(kGiB, 2 * kPageBytes, 0, kRw));
}

TEST_F(PageTableTest, ReservationsOfSharedTablesAreCountedOnce) {
    ASSERT_TRUE(table.map(k2M, kPageBytes, 0, kRw));
    ASSERT_TRUE(table.reserve(k2M + kPageBytes, kPageBytes));
    EXPECT_EQ(table.spare_tables(), 0U) << "its tables exist";
    ASSERT_TRUE(table.reserve(2 * k2M, k2M));
    ASSERT_TRUE(table.reserve(2 * k2M, 2 * k2M));
    EXPECT_EQ(table.spare_tables(), 2U);
    memory.tables_left = 0;
    table.unmap(k2M, kPageBytes);
    ASSERT_TRUE(table.map(k2M + kPageBytes, kPageBytes, 0, kRw)) << "the freed table stayed with the reservation";
}

TEST_F(PageTableTest, RefusedReservationTakesNothing) {
    memory.tables_left = 3;
    EXPECT_FALSE(table.reserve(kGiB, 8 * k2M));
    EXPECT_EQ(memory.live_tables(), 2U);
    EXPECT_EQ(table.spare_tables(), 0U);
}

TEST_F(PageTableTest, DestroyFreesEverything) {
    ASSERT_TRUE(table.reserve(4 * kGiB, 16 * k2M));
    ASSERT_TRUE(table.map(kGiB, 3 * k2M + kPageBytes, 0, kRw));
    table.destroy();
    EXPECT_EQ(memory.live_tables(), 0U);
}

/// Random operations against a map of pages.
class PageTableModel : public ::testing::TestWithParam<TableGeometry> {};

TEST_P(PageTableModel, AgreesWithAMapOfPages) {
    const TableGeometry geometry = GetParam();
    FakeTableMemory memory{geometry};
    PageTable table{memory, geometry};
    ASSERT_TRUE(table.create());
    struct Page {
        u64 output;
        u64 attributes;
    };
    std::map<u64, Page> model;
    std::mt19937_64 random(geometry.input_bits);
    auto pick = [&](u64 n) { return random() % n; };
    // Around a gigabyte boundary where the input range has one, so that every level takes part.
    const u64 base = geometry.input_bits > 30 ? kGiB - 4 * k2M : 0;
    const u64 pages = 8 * k2M / kPageBytes;

    for (int step = 0; step < 3000; ++step) {
        const u64 first = pick(2) ? pick(pages) : pick(8) * 512;
        const u64 count = pick(3) == 0 ? (1 + pick(4)) * 512 : 1 + pick(40);
        if (first + count > pages)
            continue;
        const u64 at = base + first * kPageBytes;
        const u64 size = count * kPageBytes;
        const auto low = model.lower_bound(at);
        const auto high = model.lower_bound(at + size);
        const auto mapped = static_cast<u64>(std::distance(low, high));
        switch (pick(4)) {
        case 0:
        case 1: {
            const u64 output = (pick(2) ? at : pick(1 << 20) * kPageBytes) + 16 * kGiB;
            const u64 attributes = pick(2) ? kRw : kRo;
            memory.tables_left = pick(8) == 0 ? pick(3) : ~usize{0};
            auto done = table.map(at, size, output, attributes);
            if (!done) {
                EXPECT_EQ(done.error().kind, mapped != 0 ? HostErrorKind::invalid : HostErrorKind::out_of_memory);
            } else {
                EXPECT_EQ(mapped, 0U);
            }
            for (u64 i = 0; done && i < count; ++i)
                model[at + i * kPageBytes] = {output + i * kPageBytes, attributes};
            break;
        }
        case 2:
            memory.tables_left = ~usize{0};
            table.unmap(at, size);
            model.erase(low, high);
            break;
        case 3: {
            const ChangeKind kind = pick(2) ? ChangeKind::permissions : ChangeKind::memory_type;
            const u64 attributes = pick(2) ? kRw : kRo;
            memory.tables_left = pick(8) == 0 ? 0 : ~usize{0};
            auto done = table.change(at, size, kPermissionMask, attributes, kind);
            if (!done) {
                EXPECT_EQ(done.error().kind, mapped != count ? HostErrorKind::invalid : HostErrorKind::out_of_memory);
            } else {
                EXPECT_EQ(mapped, count);
            }
            for (auto page = low; done && page != high; ++page)
                page->second.attributes = attributes;
            break;
        }
        }
        ASSERT_TRUE(memory.violations.empty()) << memory.violations.front() << " in step " << step;
        ASSERT_EQ(memory.stale_entries(), 0U) << "step " << step;
        if (step % 50 != 0)
            continue;
        for (u64 i = 0; i < pages; ++i) {
            const auto leaf = table.lookup(base + i * kPageBytes);
            const auto page = model.find(base + i * kPageBytes);
            ASSERT_EQ(leaf.has_value(), page != model.end()) << "step " << step << " page " << i;
            if (leaf) {
                ASSERT_EQ(leaf->output, page->second.output);
                ASSERT_EQ(leaf->attributes, page->second.attributes);
            }
        }
    }
    memory.tables_left = ~usize{0};
    table.unmap(base, pages * kPageBytes);
    PageTable empty{memory, geometry};
    ASSERT_TRUE(empty.create());
    const usize roots = memory.live_tables();
    table.destroy();
    EXPECT_EQ(memory.live_tables(), roots / 2) << "nothing but the start tables was left";
}

INSTANTIATE_TEST_SUITE_P(Geometries, PageTableModel,
                         ::testing::Values(TableGeometry{.start_level = 1, .input_bits = 40},
                                           TableGeometry{.start_level = 0, .input_bits = 48},
                                           TableGeometry{.start_level = 1, .input_bits = 36},
                                           TableGeometry{.start_level = 1, .input_bits = 32, .largest_blocks = false},
                                           TableGeometry{.start_level = 2, .input_bits = 30}),
                         [](const auto &test) { return std::to_string(test.param.input_bits) + "bits"; });

} // namespace
} // namespace sel4vm::el2
