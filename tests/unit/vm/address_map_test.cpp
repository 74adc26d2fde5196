// SPDX-License-Identifier: BSD-2-Clause
//
// Which range an address belongs to: its first and last byte, and what is no longer there.
#include <sel4vm/vm/address_map.hpp>

#include <gtest/gtest.h>
#include <support/vm_fixture.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <random>
#include <utility>

namespace sel4vm::test {
namespace {

struct Nothing final : MmioDevice {
    const char *name() const override { return "nothing"; }
    Result<u64, BusFault> read(const Access &access) override {
        last = access.offset;
        return u64{0};
    }
    Status<BusFault> write(const Access &access, u64) override {
        last = access.offset;
        return Ok{};
    }
    void reset() override {}
    u64 last = ~u64{0};
};

struct AddressMapTest : testing::Test {
    fake::HeapAllocator heap;
    AddressMap map{heap, LockMode::none};
    std::array<Nothing, 3> devices;
};

TEST_F(AddressMapTest, ARangeBeginsAtItsFirstByteAndEndsWithItsLast) {
    ASSERT_TRUE(map.attach(range(0x1000, 0x100), devices[0]));
    ASSERT_TRUE(map.attach(range(0x1100, 0x100), devices[1]));
    for (int round = 0; round < 2; ++round) { // the second time the last answer is near at hand
        EXPECT_EQ(map.search(Gpa{0xfff}), nullptr);
        ASSERT_NE(map.search(Gpa{0x1000}), nullptr);
        EXPECT_EQ(map.search(Gpa{0x1000})->device, &devices[0]);
        EXPECT_EQ(map.search(Gpa{0x10ff})->device, &devices[0]);
        EXPECT_EQ(map.search(Gpa{0x1100})->device, &devices[1]);
        EXPECT_EQ(map.search(Gpa{0x11ff})->device, &devices[1]);
        EXPECT_EQ(map.search(Gpa{0x1200}), nullptr);
    }
}

TEST_F(AddressMapTest, RangesAreFoundInWhateverOrderTheyCame) {
    ASSERT_TRUE(map.attach(range(0x3000, 0x1000), devices[2]));
    ASSERT_TRUE(map.attach(range(0x1000, 0x1000), devices[0]));
    ASSERT_TRUE(map.attach(range(0x2000, 0x1000), devices[1]));
    for (usize n = 0; n < devices.size(); ++n) {
        ASSERT_NE(map.search(Gpa{0x1000 * (n + 1) + 0x800}), nullptr);
        EXPECT_EQ(map.search(Gpa{0x1000 * (n + 1) + 0x800})->device, &devices[n]);
    }
}

TEST_F(AddressMapTest, WhatWasFoundLastIsForgottenWhenItIsRemoved) {
    ASSERT_TRUE(map.attach(range(0x1000, 0x1000), devices[0]));
    ASSERT_NE(map.search(Gpa{0x1800}), nullptr);
    EXPECT_FALSE(map.remove(Gpa{0x1800})) << "it starts elsewhere";
    EXPECT_NE(map.search(Gpa{0x1800}), nullptr);
    EXPECT_TRUE(map.remove(Gpa{0x1000}));
    EXPECT_EQ(map.search(Gpa{0x1800}), nullptr);
    EXPECT_FALSE(map.remove(Gpa{0x1000}));
    // Its place is taken by another range: the old addresses stay unowned.
    ASSERT_TRUE(map.attach(range(0x8000, 0x1000), devices[1]));
    EXPECT_EQ(map.search(Gpa{0x1800}), nullptr);
    ASSERT_NE(map.search(Gpa{0x8800}), nullptr);
    EXPECT_EQ(map.search(Gpa{0x8800})->device, &devices[1]);
}

TEST_F(AddressMapTest, RangesThatTouchDoNotOverlapAndThoseThatShareAByteDo) {
    ASSERT_TRUE(map.attach(range(0x1000, 0x1000), devices[0]));
    EXPECT_TRUE(map.overlaps(range(0x1fff, 1)));
    EXPECT_TRUE(map.overlaps(range(0, 0x1001)));
    EXPECT_FALSE(map.overlaps(range(0x2000, 1)));
    EXPECT_FALSE(map.overlaps(range(0, 0x1000)));
    EXPECT_EQ(map.attach(range(0x1fff, 0x10), devices[1]).error(), AttachError::overlap);
}

TEST_F(AddressMapTest, WhatMovesAnswersAtOneOfTheTwoPlaces) {
    ASSERT_TRUE(map.attach(range(0x1000, 0x1000), devices[0]));
    ASSERT_TRUE(map.attach(range(0x4000, 0x1000), devices[1]));
    ASSERT_TRUE(map.move(Gpa{0x1000}, range(0x1800, 0x1000))) << "its own old place is not in its way";
    EXPECT_EQ(map.search(Gpa{0x1400}), nullptr);
    ASSERT_NE(map.search(Gpa{0x1800}), nullptr);
    EXPECT_EQ(map.search(Gpa{0x1800})->device, &devices[0]);
    ASSERT_TRUE(map.move(Gpa{0x1800}, range(0x8000, 0x1000)));
    EXPECT_EQ(map.search(Gpa{0x2000}), nullptr);
    EXPECT_EQ(map.search(Gpa{0x8fff})->device, &devices[0]);
    EXPECT_EQ(map.move(Gpa{0x8000}, range(0x4fff, 0x10)).error(), AttachError::overlap);
    EXPECT_EQ(map.search(Gpa{0x8000})->device, &devices[0]);
    EXPECT_EQ(map.move(Gpa{0x8004}, range(0x9000, 0x10)).error(), AttachError::nothing);
    EXPECT_EQ(map.size(), 2u);
}

TEST_F(AddressMapTest, WhoeverHasFoundSomethingMayReadItUntilItsPlaceIsRecycled) {
    ASSERT_TRUE(map.attach(range(0x1000, 0x1000), devices[0]));
    const MapSlot *found = map.search(Gpa{0x1000});
    ASSERT_TRUE(map.remove(Gpa{0x1000}));
    for (u64 n = 0; n < 8; ++n)
        ASSERT_TRUE(map.attach(range(0x8000 + n * 0x1000, 0x1000), devices[1]));
    EXPECT_EQ(found->device, &devices[0]);
    EXPECT_EQ(found->range, range(0x1000, 0x1000));
    EXPECT_FALSE(map.recycle(map.removals() - 1));
    EXPECT_EQ(found->device, &devices[0]);
    EXPECT_TRUE(map.recycle(map.removals()));
    ASSERT_TRUE(map.attach(range(0x2000, 0x1000), devices[2]));
    EXPECT_EQ(found, map.search(Gpa{0x2000})) << "its place has been taken again";
}

TEST_F(AddressMapTest, ItIsFullWithAsManyRangesAsItSaysAndWithSomeMoreThatNobodyHasLeft) {
    for (u64 n = 0; n < AddressMap::kMaxRanges; ++n)
        ASSERT_TRUE(map.attach(range(0x1000 * (n + 1), 0x1000), devices[0]));
    EXPECT_EQ(map.attach(range(0x1000'0000, 1), devices[1]).error(), AttachError::too_many);
    usize moved = 0;
    for (Gpa at{0x1000}; moved < 1000; ++moved) {
        const Gpa to{0x1000'0000 + 0x1000 * moved};
        if (!map.move(at, range(to.value(), 0x1000)))
            break;
        at = to;
    }
    EXPECT_GE(moved, 1u);
    EXPECT_LT(moved, 1000u);
    EXPECT_TRUE(map.recycle(map.removals()));
    EXPECT_TRUE(map.move(Gpa{0x2000}, range(0x9000'0000, 0x1000)));
    EXPECT_EQ(map.size(), AddressMap::kMaxRanges);
}

/// Against a plain map, with places that are recycled now and then.
TEST_F(AddressMapTest, ManyRangesThatComeGoAndMoveAreWhereTheyBelong) {
    std::mt19937_64 random(1);
    std::map<u64, std::pair<u64, usize>> all; // base: bytes, device
    const auto free_of_others = [&](u64 base, u64 bytes, u64 but) {
        return std::none_of(all.begin(), all.end(), [&](const auto &one) {
            return one.first != but && base < one.first + one.second.first && one.first < base + bytes;
        });
    };
    for (int round = 0; round < 6000; ++round) {
        const u64 base = random() % 4096 * 0x10;
        const u64 bytes = 1 + random() % 0x40;
        const usize device = random() % devices.size();
        const u64 old = all.empty() ? 0 : std::next(all.begin(), static_cast<long>(random() % all.size()))->first;
        switch (random() % 4) {
        case 0:
            if (!all.empty()) {
                ASSERT_TRUE(map.remove(Gpa{old}));
                all.erase(old);
            }
            break;
        case 1:
            if (!all.empty()) {
                const bool fits = free_of_others(base, bytes, old);
                ASSERT_EQ(static_cast<bool>(map.move(Gpa{old}, range(base, bytes))), fits);
                if (fits) {
                    const usize its = all.at(old).second;
                    all.erase(old);
                    all[base] = {bytes, its};
                }
            }
            break;
        default: {
            const bool fits = free_of_others(base, bytes, ~u64{0});
            ASSERT_EQ(static_cast<bool>(map.attach(range(base, bytes), devices[device])), fits);
            if (fits)
                all[base] = {bytes, device};
        }
        }
        if (round % 50 == 0) {
            ASSERT_TRUE(map.recycle(map.removals()));
        }
        ASSERT_EQ(map.size(), all.size());
        const u64 at = random() % 0x1'1000;
        const auto behind = all.upper_bound(at);
        const auto found = behind == all.begin() ? all.end() : std::prev(behind);
        const MapSlot *slot = map.search(Gpa{at});
        if (found == all.end() || found->first + found->second.first <= at) {
            ASSERT_EQ(slot, nullptr);
        } else {
            ASSERT_NE(slot, nullptr);
            ASSERT_EQ(slot->range, range(found->first, found->second.first));
            ASSERT_EQ(slot->device, &devices[found->second.second]);
        }
    }
    EXPECT_GT(all.size(), 100u);
}

TEST(AddressMapMemory, WithoutMemoryNothingHasChanged) {
    fake::HeapAllocator heap;
    heap.fail_at(1);
    AddressMap map{heap, LockMode::spin};
    Nothing device;
    EXPECT_EQ(map.attach(range(0x1000, 0x1000), device).error(), AttachError::out_of_memory);
    heap.fail_at(2); // its lock, but no place
    EXPECT_EQ(map.attach(range(0x1000, 0x1000), device).error(), AttachError::out_of_memory);
    EXPECT_EQ(map.search(Gpa{0x1000}), nullptr);
    EXPECT_EQ(map.size(), 0u);
    heap.fail_at(0);
    EXPECT_TRUE(map.attach(range(0x1000, 0x1000), device));
}

TEST(AddressMapLocks, ADeviceHasOneLockInAllItsRangesAndWhereverItMoves) {
    fake::HeapAllocator heap;
    AddressMap map{heap, LockMode::spin};
    std::array<Nothing, 2> devices;
    ASSERT_TRUE(map.attach(range(0x1000, 0x1000), devices[0]));
    ASSERT_TRUE(map.attach(range(0x3000, 0x1000), devices[0]));
    ASSERT_TRUE(map.attach(range(0x5000, 0x1000), devices[1]));
    const Mutex *lock = map.search(Gpa{0x1000})->lock;
    ASSERT_NE(lock, nullptr);
    EXPECT_EQ(map.search(Gpa{0x3000})->lock, lock);
    EXPECT_NE(map.search(Gpa{0x5000})->lock, lock);
    ASSERT_TRUE(map.move(Gpa{0x1000}, range(0x8000, 0x1000)));
    EXPECT_EQ(map.search(Gpa{0x8000})->lock, lock);
    // It stays the device's as long as one of its ranges is there.
    ASSERT_TRUE(map.remove(Gpa{0x3000}));
    EXPECT_TRUE(map.recycle(map.removals()));
    ASSERT_TRUE(map.attach(range(0x9000, 0x1000), devices[0]));
    EXPECT_EQ(map.search(Gpa{0x9000})->lock, lock);
}

TEST(DeviceRange, ItsLastBytesReachTheDeviceInEveryWidthAndNothingBeyond) {
    for (const Width width : {Width::b1, Width::b2, Width::b4, Width::b8}) {
        Nothing device;
        VmFixture f;
        ASSERT_TRUE(f.vm.attach(range(0x900'0000, 0x1000), device));
        ASSERT_TRUE(f.vm.start());
        const u64 last = 0x1000 - bytes_of(width);
        EXPECT_EQ(f.handle(read_exit(0x900'0000 + last, width)), Answer::complete(0));
        EXPECT_EQ(device.last, last);
        device.last = 0;
        EXPECT_EQ(f.handle(write_exit(0x900'0000 + last, 0, width)), Answer::complete());
        EXPECT_EQ(device.last, last);
        if (width == Width::b1)
            continue;
        device.last = 0;
        EXPECT_EQ(f.handle(read_exit(0x900'0000 + last + 1, width)), Answer::inject(GuestFault::access));
        EXPECT_EQ(f.handle(write_exit(0x900'0000 + last + 1, 0, width)), Answer::inject(GuestFault::access));
        EXPECT_EQ(device.last, 0u);
    }
}

} // namespace
} // namespace sel4vm::test
