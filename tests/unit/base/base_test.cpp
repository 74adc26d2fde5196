// SPDX-License-Identifier: BSD-2-Clause
//
// The small types that everything is made of.
#include <gtest/gtest.h>
#include <hosts/fake/heap_allocator.hpp>
#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/owned_array.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/result.hpp>
#include <sel4vm/base/text.hpp>

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace sel4vm::test {
namespace {

TEST(RangeTest, CannotBeEmptyOrWrap) {
    EXPECT_FALSE(GpaRange::make(Gpa{0}, 0));
    EXPECT_FALSE(GpaRange::make(Gpa{~u64{0}}, 1));
    EXPECT_FALSE(GpaRange::make(Gpa{0x1000}, ~u64{0}));
    const auto top = GpaRange::make(Gpa{~u64{0} - 0x1000}, 0x1000);
    ASSERT_TRUE(top);
    EXPECT_EQ(top->end().value(), ~u64{0});
}

TEST(RangeTest, ContainsWholeAccessesOnly) {
    const GpaRange range = *GpaRange::make(Gpa{0x1000}, 0x100);
    EXPECT_TRUE(range.contains(Gpa{0x1000}, 0x100));
    EXPECT_FALSE(range.contains(Gpa{0x1000}, 0x101));
    EXPECT_TRUE(range.contains(Gpa{0x10ff}, 1));
    EXPECT_FALSE(range.contains(Gpa{0x10ff}, 2));
    EXPECT_FALSE(range.contains(Gpa{0xfff}, 1));
    EXPECT_FALSE(range.contains(Gpa{0x1100}, 1));
    EXPECT_FALSE(range.contains(Gpa{0x1000}, 0));
    EXPECT_FALSE(range.contains(Gpa{0x1001}, ~u64{0}));
}

TEST(RangeTest, NeighboursDoNotOverlap) {
    const GpaRange range = *GpaRange::make(Gpa{0x1000}, 0x100);
    EXPECT_FALSE(range.overlaps(*GpaRange::make(Gpa{0x1100}, 1)));
    EXPECT_FALSE(range.overlaps(*GpaRange::make(Gpa{0xfff}, 1)));
    EXPECT_TRUE(range.overlaps(*GpaRange::make(Gpa{0xfff}, 2)));
    EXPECT_TRUE(range.overlaps(*GpaRange::make(Gpa{0}, 0x10000)));
}

static_assert(sign_extend(0x80, 8) == 0xffff'ffff'ffff'ff80);
static_assert(sign_extend(0xff7f, 8) == 0x7f);
static_assert(sign_extend(~u64{0}, 64) == ~u64{0});
static_assert(low_mask(0) == 0 && low_mask(64) == ~u64{0} && low_mask<u8>(8) == 0xff);
static_assert(bits_of<u32>(0xabcd'1234, 15, 8) == 0x12);
static_assert(align_up(1, 8) == 8 && align_up(8, 8) == 8 && !align_up(~u64{0}, 8));
static_assert(!checked_add(~u64{0}, 1) && checked_add(~u64{0}, 0) == ~u64{0});

struct Sample : RegValue<Sample, u32> {
    using RegValue::RegValue;
    enum class Mode : u8 { off, on, automatic };
    using Enable = Field<0>;
    using Which = Field<5, 4, Mode>;
    using Count = Field<31, 16>;
    static_assert(disjoint<Enable, Which, Count>());
    static_assert(!disjoint<Enable, Field<3, 0>>());
};
static_assert(Sample{}.with<Sample::Which>(Sample::Mode::automatic).raw() == 0x20);
static_assert(Sample{0xffff'ffff}.with<Sample::Count>(0x12).raw() == 0x0012'ffff);
static_assert(Sample{0x21}.get<Sample::Enable>() && Sample{0x21}.get<Sample::Which>() == Sample::Mode::automatic);
static_assert(Sample{0x8000'0000}.get<Sample::Count>() == 0x8000);

TEST(RegValueDeathTest, ValueThatDoesNotFitIsOurBug) {
    EXPECT_DEATH((void)Sample{}.with<Sample::Count>(0x1'0000), "panic");
}

TEST(ResultTest, HoldsOneOfTheTwo) {
    const auto half = [](int n) -> Result<int, u8> {
        if (n % 2 != 0)
            return Err{u8{7}};
        return n / 2;
    };
    EXPECT_EQ(*half(4), 2);
    EXPECT_EQ(half(3).error(), 7);
    EXPECT_EQ(half(3).value_or(9), 9);
    const auto quarter = [&](int n) -> Result<int, u8> { return half(SEL4VM_TRY(half(n))); };
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_EQ(quarter(6).error(), 7);
}

TEST(ResultTest, CarriesWhatCannotBeCopied) {
    Result<std::unique_ptr<int>, u8> result{std::make_unique<int>(5)};
    const std::unique_ptr<int> taken = *std::move(result);
    EXPECT_EQ(*taken, 5);
}

TEST(ResultDeathTest, AccessToTheOtherSidePanics) {
    Result<int, u8> error{Err{u8{1}}};
    EXPECT_DEATH((void)*error, "holds an error");
    Result<int, u8> value{1};
    EXPECT_DEATH((void)value.error(), "holds a value");
}

TEST(FixedVectorTest, KeepsOrderAndKnowsWhenItIsFull) {
    FixedVector<std::string, 3> vector;
    ASSERT_TRUE(vector.insert(0, "c"));
    ASSERT_TRUE(vector.insert(0, "a"));
    ASSERT_TRUE(vector.insert(1, "b"));
    EXPECT_FALSE(vector.insert(1, "x"));
    EXPECT_EQ(vector.emplace_back("x"), nullptr);
    EXPECT_EQ(vector[0] + vector[1] + vector[2], "abc");
    vector.erase(1);
    EXPECT_EQ(vector[0] + vector[1], "ac");
    EXPECT_EQ(vector.size(), 2u);
}

TEST(FixedVectorTest, IsMadeOfAList) {
    const FixedVector<int, 3> vector{7, 8};
    EXPECT_EQ(vector.size(), 2u);
    EXPECT_EQ(vector[1], 8);
    EXPECT_DEATH((FixedVector<int, 1>{1, 2}), "panic");
}

TEST(FixedVectorDeathTest, IndexIsChecked) {
    FixedVector<int, 2> vector;
    EXPECT_DEATH((void)vector[0], "panic");
}

TEST(OwnedTest, FailureIsEmptyAndNothingLeaks) {
    fake::HeapAllocator allocator;
    {
        auto array = OwnedArray<u64>::make(allocator, 10);
        ASSERT_TRUE(array);
        EXPECT_EQ(array[9], 0u);
        auto object = Owned<std::string>::make(allocator, "text");
        auto moved = std::move(object);
        EXPECT_FALSE(object);
        EXPECT_EQ(*moved, "text");
        std::string *const given_up = moved.release();
        EXPECT_FALSE(moved);
        moved = Owned<std::string>::take(allocator, given_up);
        EXPECT_EQ(*moved, "text");
        EXPECT_EQ(allocator.live(), 2u);
        allocator.fail_at(1);
        EXPECT_FALSE(OwnedArray<u64>::make(allocator, 1));
        EXPECT_FALSE(OwnedArray<u64>::make(allocator, ~usize{0} / 4));
    }
    EXPECT_EQ(allocator.live(), 0u);
}

TEST(TextTest, NumbersReadAsUsual) {
    Text<80> text;
    text << "a" << u64{0} << ' ' << ~u64{0} << ' ' << Hex{0} << ' ' << Hex{0xdeadbeef} << ' ' << i32{-5};
    EXPECT_EQ(text.view(), "a0 18446744073709551615 0x0 0xdeadbeef -5");
}

TEST(TextTest, WhatDoesNotFitIsCutVisibly) {
    Text<4> text;
    text << "abcdef";
    EXPECT_EQ(text.view(), "abc~");
    text << "g";
    EXPECT_EQ(text.view(), "abc~");
}

TEST(TextTest, WhatComesAfterTheLastCharacterIsCutVisibly) {
    Text<4> text;
    text << "abcd";
    EXPECT_EQ(text.view(), "abcd");
    text << "";
    EXPECT_EQ(text.view(), "abcd");
    text << u32{5};
    EXPECT_EQ(text.view(), "abc~");
}

/// What clang's analysis would find when it is compiled.
void release(Mutex &mutex) SEL4VM_NO_THREAD_SAFETY_ANALYSIS { mutex.unlock(); }

TEST(MutexDeathTest, OnlyWhoHasTakenALockMayReleaseIt) {
    for (const LockMode mode : {LockMode::spin, LockMode::none}) {
        Mutex mutex(LockRank::device, mode);
        mutex.lock();
        mutex.unlock();
        EXPECT_DEATH(release(mutex), "panic");
    }
}

struct NamesTaken final : LockObserver {
    void taken(const Mutex &mutex) override { mutexes.push_back(&mutex); }
    std::vector<const Mutex *> mutexes;
};

TEST(Mutex, ObserversHearOfEachLockThatIsTaken) {
    Mutex outer(LockRank::device, LockMode::none);
    Mutex inner(LockRank::irq_vcpu);
    Mutex beside(LockRank::irq_vcpu);
    NamesTaken names;
    detail::lock_observer = &names;
    outer.lock();
    inner.lock();
    beside.lock_next();
    beside.unlock_next();
    inner.unlock();
    outer.unlock();
    detail::lock_observer = nullptr;
    EXPECT_EQ(names.mutexes, (std::vector<const Mutex *>{&outer, &inner, &beside}));
}

enum class Take : u8 { first, higher, next, another };

/// For ever: the program ends.
void take(std::initializer_list<Take> these) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    Mutex first(LockRank::irq_vcpu);
    Mutex next(LockRank::irq_vcpu);
    Mutex higher(LockRank::irq_chip);
    for (const Take which : these) {
        switch (which) {
        case Take::first: first.lock(); break;
        case Take::higher: higher.lock(); break;
        case Take::next: next.lock_next(); break;
        case Take::another: next.lock(); break;
        }
    }
}

TEST(MutexDeathTest, OneMoreOfARankComesAfterOneOfItAndBeforeHigherOnes) {
    EXPECT_DEATH(take({Take::next}), "panic");
    EXPECT_DEATH(take({Take::first, Take::another}), "panic");
    EXPECT_DEATH(take({Take::first, Take::higher, Take::next}), "panic");
}

TEST(MutexDeathTest, WrongOrderIsFound) {
    Mutex outer(LockRank::device);
    Mutex inner(LockRank::irq_chip);
    {
        LockGuard a(outer);
        LockGuard b(inner);
    }
    EXPECT_DEATH(
        {
            LockGuard b(inner);
            LockGuard a(outer);
        },
        "panic");
}

} // namespace
} // namespace sel4vm::test
