// SPDX-License-Identifier: BSD-2-Clause
//
// The dispatcher of register tables: rows, widths, lanes, families, holes. That a bad table does not compile is checked in
// tests/compile_fail.
#include <gtest/gtest.h>
#include <sel4vm/dev/register_bank.hpp>

namespace sel4vm::dev {
namespace {

template <u32 Window>
class Sample {
public:
    Result<u64, BusFault> read(u64 offset, Width width, u16 vcpu = 0);
    Status<BusFault> write(u64 offset, Width width, u64 value);

    struct Registers;
    u32 control() const { return control_; }
    void set_control(u32 value) { control_ = value; }
    u32 pop() { return ++pops_; }
    void push(u32 value) { pushed_ = value; }
    u64 wide() const { return wide_; }
    void set_wide(u64 value) { wide_ = value; }
    u32 lane(RegisterUse use) { return lanes_[use.index()] + use.vcpu().value(); }
    void set_lane(RegisterUse use, u32 value) { lanes_[use.index()] = value; }

    u32 control_ = 0x1122'3344;
    u32 pops_ = 0;
    u32 pushed_ = 0;
    u64 wide_ = 0x8877'6655'4433'2211;
    std::array<u32, 3> lanes_{};
};

template <u32 Window>
struct Sample<Window>::Registers {
    using S = Sample<Window>;
    static constexpr auto kBank = register_bank<S, Window>(std::array{
        reg<S, &S::control, &S::set_control>("CONTROL", 0x00, kWidths124),
        reg<S, &S::pop, &S::push>("DATA", 0x04, kWidths14, Narrow::zero_extend),
        reg<S, nullptr, &S::push>("ONLY_WRITE", 0x0c),
        reg64<S, &S::wide, &S::set_wide>("WIDE", 0x10),
        family(reg<S, &S::lane, &S::set_lane>("LANE", 0x20), 3),
        constant<S>("ID", 0x30, 0xabcd),
    });
};

template <u32 Window>
Result<u64, BusFault> Sample<Window>::read(u64 offset, Width width, u16 vcpu) {
    return Registers::kBank.read(*this, Access{offset, width, VcpuId{vcpu}});
}
template <u32 Window>
Status<BusFault> Sample<Window>::write(u64 offset, Width width, u64 value) {
    return Registers::kBank.write(*this, Access{offset, width, VcpuId{0}}, value);
}

/// Both ways of finding a row: the word index and bisection.
template <class T>
struct RegisterBankTest : testing::Test {
    T device;
};
using Windows = testing::Types<Sample<0x1000>, Sample<0x10000>>;
TYPED_TEST_SUITE(RegisterBankTest, Windows);

TYPED_TEST(RegisterBankTest, AWholeRegisterReadsAndWrites) {
    EXPECT_EQ(*this->device.read(0, Width::b4), 0x1122'3344u);
    ASSERT_TRUE(this->device.write(0, Width::b4, 0xdead'beef));
    EXPECT_EQ(this->device.control_, 0xdead'beefu);
    ASSERT_TRUE(this->device.write(0x10, Width::b8, 0x0123'4567'89ab'cdef));
    EXPECT_EQ(*this->device.read(0x10, Width::b8), 0x0123'4567'89ab'cdefu);
}

TYPED_TEST(RegisterBankTest, ANarrowReadGetsItsLane) {
    EXPECT_EQ(*this->device.read(1, Width::b1), 0x33u);
    EXPECT_EQ(*this->device.read(2, Width::b2), 0x1122u);
    EXPECT_EQ(*this->device.read(0x14, Width::b4), 0x8877'6655u);
    EXPECT_EQ(*this->device.read(0x31, Width::b1), 0xabu);
}

TYPED_TEST(RegisterBankTest, ANarrowWriteMergesOrZeroExtendsAsTheRowSays) {
    ASSERT_TRUE(this->device.write(1, Width::b1, 0xaa));
    EXPECT_EQ(this->device.control_, 0x1122'aa44u);
    ASSERT_TRUE(this->device.write(0x10, Width::b4, 1));
    EXPECT_EQ(this->device.wide_, 0x8877'6655'0000'0001u);
    ASSERT_TRUE(this->device.write(0x14, Width::b4, 2));
    EXPECT_EQ(this->device.wide_, 0x0000'0002'0000'0001u);
    ASSERT_TRUE(this->device.write(4, Width::b1, 0x7f));
    EXPECT_EQ(this->device.pushed_, 0x7fu);
    EXPECT_EQ(this->device.pops_, 0u) << "a narrow write of a data port must not read it";
}

TYPED_TEST(RegisterBankTest, AFamilyTellsIndexAndVcpu) {
    ASSERT_TRUE(this->device.write(0x28, Width::b4, 40));
    EXPECT_EQ(this->device.lanes_[2], 40u);
    EXPECT_EQ(*this->device.read(0x28, Width::b4, 2), 42u);
    EXPECT_EQ(*this->device.read(0x20, Width::b4, 1), 1u);
}

TYPED_TEST(RegisterBankTest, HolesReadAsZeroAndIgnoreWrites) {
    for (const u64 hole : {0x08u, 0x2cu, 0x34u, 0x800u}) {
        EXPECT_EQ(*this->device.read(hole, Width::b4), 0u);
        EXPECT_TRUE(this->device.write(hole, Width::b4, ~0u));
    }
    EXPECT_EQ(*this->device.read(0x38, Width::b8), 0u);
    EXPECT_EQ(*this->device.read(0x0c, Width::b4), 0u) << "a write-only register reads as zero";
    ASSERT_TRUE(this->device.write(0x30, Width::b4, 5));
    EXPECT_EQ(*this->device.read(0x30, Width::b4), 0xabcdu) << "a constant ignores writes";
}

TYPED_TEST(RegisterBankTest, WrongWidthsAndAlignmentsAreRefused) {
    EXPECT_EQ(this->device.read(0x04, Width::b2).error(), BusFault::width);
    EXPECT_EQ(this->device.read(0x00, Width::b8).error(), BusFault::width);
    EXPECT_EQ(this->device.write(0x0c, Width::b1, 0).error(), BusFault::width);
    EXPECT_EQ(this->device.read(0x01, Width::b2).error(), BusFault::alignment);
    EXPECT_EQ(this->device.write(0x02, Width::b4, 0).error(), BusFault::alignment);
    EXPECT_EQ(this->device.read(0x0c, Width::b8).error(), BusFault::alignment);
    EXPECT_EQ(this->device.read(0x08, Width::b8).error(), BusFault::width) << "half of it is a register";
    EXPECT_EQ(this->device.pushed_, 0u);
}

TYPED_TEST(RegisterBankTest, RowsCanBeCounted) { EXPECT_EQ(TypeParam::Registers::kBank.rows().size(), 6u); }

} // namespace
} // namespace sel4vm::dev
