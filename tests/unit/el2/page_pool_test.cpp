// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/page_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

namespace sel4vm::el2 {
namespace {

constexpr u64 kPages = 1024;
constexpr u64 k2M = 2 * kMiB;

struct PagePoolTest : ::testing::Test {
    std::unique_ptr<void, decltype(&std::free)> memory{std::aligned_alloc(k2M, kPages *kPageBytes), &std::free};
    u64 base = reinterpret_cast<uptr>(memory.get());
    PagePool pool;

    HostPhysRange pages(u64 first, u64 count) {
        return *HostPhysRange::make(HostPhys{base + first * kPageBytes}, count * kPageBytes);
    }
    u64 page_of(HostPhys at) { return (at.value() - base) / kPageBytes; }
};

TEST_F(PagePoolTest, EmptyPoolHasNothing) {
    EXPECT_FALSE(pool.allocate(kPageBytes, kPageBytes, PagePool::From::low));
    EXPECT_EQ(pool.largest(kPageBytes, kPageBytes), 0U);
}

TEST_F(PagePoolTest, TakesFromTheEndThatWasAskedFor) {
    pool.add(pages(0, kPages));
    EXPECT_EQ(page_of(*pool.allocate(kPageBytes, kPageBytes, PagePool::From::low)), 0U);
    EXPECT_EQ(page_of(*pool.allocate(kPageBytes, kPageBytes, PagePool::From::high)), kPages - 1);
    EXPECT_EQ(pool.free_bytes(), (kPages - 2) * kPageBytes);
}

TEST_F(PagePoolTest, AlignmentLeavesTheRestFree) {
    pool.add(pages(1, kPages - 1));
    const auto at = pool.allocate(k2M, k2M, PagePool::From::low);
    ASSERT_TRUE(at);
    EXPECT_EQ(page_of(*at), 512U);
    EXPECT_EQ(pool.free_bytes(), 511 * kPageBytes);
    EXPECT_TRUE(pool.allocate(511 * kPageBytes, kPageBytes, PagePool::From::low));
}

TEST_F(PagePoolTest, NeighboursGrowTogether) {
    pool.add(pages(0, 10));
    pool.add(pages(20, 10));
    EXPECT_FALSE(pool.allocate(30 * kPageBytes, kPageBytes, PagePool::From::low));
    pool.add(pages(10, 10));
    EXPECT_EQ(pool.largest(kPageBytes, kPageBytes), 30 * kPageBytes);
    EXPECT_TRUE(pool.allocate(30 * kPageBytes, kPageBytes, PagePool::From::low));
    EXPECT_EQ(pool.free_bytes(), 0U);
}

TEST_F(PagePoolTest, LargestCountsWholeGranulesBehindTheAlignment) {
    pool.add(pages(1, 512 + 512 - 2));
    EXPECT_EQ(pool.largest(k2M, k2M), 0U) << "511 pages before, 511 after the aligned address";
    EXPECT_EQ(pool.largest(k2M, kPageBytes), 511 * kPageBytes);
}

TEST_F(PagePoolTest, FreeingTwiceIsCaught) {
    pool.add(pages(4, 4));
    EXPECT_DEATH(pool.add(pages(5, 1)), "assertion failed");
    EXPECT_DEATH(pool.add(pages(2, 3)), "assertion failed");
}

TEST_F(PagePoolTest, BlocksNeverOverlapAndEverythingComesBack) {
    pool.add(pages(0, 300));
    pool.add(pages(400, 600));
    std::mt19937 random(7);
    struct Block {
        u64 first;
        u64 count;
    };
    std::vector<Block> blocks;
    std::vector<bool> used(kPages);
    for (int step = 0; step < 20000; ++step) {
        if (random() % 2 == 0 || blocks.empty()) {
            const u64 count = 1 + random() % 40;
            const u64 alignment = kPageBytes << random() % 5;
            const auto from = random() % 2 == 0 ? PagePool::From::low : PagePool::From::high;
            const auto at = pool.allocate(count * kPageBytes, alignment, from);
            if (!at) {
                EXPECT_LT(pool.largest(alignment, kPageBytes), count * kPageBytes);
                continue;
            }
            ASSERT_EQ(at->value() % alignment, 0U);
            std::memset(reinterpret_cast<void *>(at->value()), 0xff, count * kPageBytes);
            for (u64 i = 0; i < count; ++i) {
                ASSERT_FALSE(used[page_of(*at) + i]);
                used[page_of(*at) + i] = true;
            }
            blocks.push_back({page_of(*at), count});
        } else {
            std::swap(blocks[random() % blocks.size()], blocks.back());
            const Block block = blocks.back();
            blocks.pop_back();
            pool.add(pages(block.first, block.count));
            for (u64 i = 0; i < block.count; ++i)
                used[block.first + i] = false;
        }
        ASSERT_EQ(pool.free_bytes(), (900 - static_cast<u64>(std::count(used.begin(), used.end(), true))) * kPageBytes);
    }
    for (const Block &block : blocks)
        pool.add(pages(block.first, block.count));
    EXPECT_EQ(pool.largest(kPageBytes, kPageBytes), 600 * kPageBytes);
}

} // namespace
} // namespace sel4vm::el2
