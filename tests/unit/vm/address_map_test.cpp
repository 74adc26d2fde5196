// SPDX-License-Identifier: BSD-2-Clause
//
// Which range an address belongs to: its first and last byte, and what is no longer there.
#include <sel4vm/vm/address_map.hpp>

#include <gtest/gtest.h>
#include <support/vm_fixture.hpp>

#include <array>

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
    AddressMap map{LockMode::none};
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

TEST(AddressMapLocks, ADeviceHasOneLockInAllItsRangesAndWhereverItMoves) {
    AddressMap map{LockMode::spin};
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
