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
        EXPECT_EQ(map.find(Gpa{0xfff}), nullptr);
        ASSERT_NE(map.find(Gpa{0x1000}), nullptr);
        EXPECT_EQ(map.find(Gpa{0x1000})->device, &devices[0]);
        EXPECT_EQ(map.find(Gpa{0x10ff})->device, &devices[0]);
        EXPECT_EQ(map.find(Gpa{0x1100})->device, &devices[1]);
        EXPECT_EQ(map.find(Gpa{0x11ff})->device, &devices[1]);
        EXPECT_EQ(map.find(Gpa{0x1200}), nullptr);
    }
}

TEST_F(AddressMapTest, RangesAreFoundInWhateverOrderTheyCame) {
    ASSERT_TRUE(map.attach(range(0x3000, 0x1000), devices[2]));
    ASSERT_TRUE(map.attach(range(0x1000, 0x1000), devices[0]));
    ASSERT_TRUE(map.attach(range(0x2000, 0x1000), devices[1]));
    for (usize n = 0; n < devices.size(); ++n) {
        EXPECT_EQ(map.at(n).device, &devices[n]);
        ASSERT_NE(map.find(Gpa{0x1000 * (n + 1) + 0x800}), nullptr);
        EXPECT_EQ(map.find(Gpa{0x1000 * (n + 1) + 0x800})->device, &devices[n]);
    }
}

TEST_F(AddressMapTest, WhatWasFoundLastIsForgottenWhenItIsRemoved) {
    ASSERT_TRUE(map.attach(range(0x1000, 0x1000), devices[0]));
    ASSERT_NE(map.find(Gpa{0x1800}), nullptr);
    EXPECT_FALSE(map.remove(Gpa{0x1800})) << "it starts elsewhere";
    EXPECT_NE(map.find(Gpa{0x1800}), nullptr);
    EXPECT_TRUE(map.remove(Gpa{0x1000}));
    EXPECT_EQ(map.find(Gpa{0x1800}), nullptr);
    EXPECT_FALSE(map.remove(Gpa{0x1000}));
    // Its place is taken by another range: the old addresses stay unowned.
    ASSERT_TRUE(map.attach(range(0x8000, 0x1000), devices[1]));
    EXPECT_EQ(map.find(Gpa{0x1800}), nullptr);
    ASSERT_NE(map.find(Gpa{0x8800}), nullptr);
    EXPECT_EQ(map.find(Gpa{0x8800})->device, &devices[1]);
}

TEST_F(AddressMapTest, RangesThatTouchDoNotOverlapAndThoseThatShareAByteDo) {
    ASSERT_TRUE(map.attach(range(0x1000, 0x1000), devices[0]));
    EXPECT_TRUE(map.overlaps(range(0x1fff, 1)));
    EXPECT_TRUE(map.overlaps(range(0, 0x1001)));
    EXPECT_FALSE(map.overlaps(range(0x2000, 1)));
    EXPECT_FALSE(map.overlaps(range(0, 0x1000)));
    EXPECT_EQ(map.attach(range(0x1fff, 0x10), devices[1]).error(), AttachError::overlap);
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
