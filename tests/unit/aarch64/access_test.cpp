// SPDX-License-Identifier: BSD-2-Clause
//
// Emulated loads and stores: what the device sees, in which order, and what the registers become.
#include "access_fixture.hpp"

namespace sel4vm::aarch64 {
namespace {

TEST(ByteOrder, BytesBeyondTheWidthDoNotCount) {
    constexpr u64 kValue = 0x1122'3344'5566'7788;
    EXPECT_EQ(swapped(kValue, Width::b1), 0x88u);
    EXPECT_EQ(swapped(kValue, Width::b2), 0x8877u);
    EXPECT_EQ(swapped(kValue, Width::b4), 0x8877'6655u);
    EXPECT_EQ(swapped(kValue, Width::b8), 0x8877'6655'4433'2211u);
}

TEST(ByteOrder, OfAarch32IsPstates) {
    constexpr u64 kD = 0x200; // which is D in AArch64
    EXPECT_FALSE(is_big_endian_aarch32(kD | 5));
    EXPECT_FALSE(is_big_endian_aarch32(0x10));
    EXPECT_TRUE(is_big_endian_aarch32(kD | 0x10));
    EXPECT_EQ(stored_by_aarch32(0x1122, Width::b2, 0x10), 0x1122u);
    EXPECT_EQ(stored_by_aarch32(0x1122, Width::b2, kD | 0x30), 0x2211u);
}

TEST_F(AccessSequenceTest, LoadPairReadsBothAndCommitsAtTheEnd) {
    remember_pattern(16);
    request.instruction = 0xa9400c41; // ldp x1, x3, [x2]
    ASSERT_EQ(sequence.start(request, registers, translator), AccessStep::access);
    ASSERT_EQ(sequence.next(7, translator), AccessStep::access);
    EXPECT_EQ(registers.general[1], 0x2222'2222'2222'2222U) << "committed too early";

    ASSERT_EQ(run(0xa9400c41), AccessStep::done);
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 8, false, 0x8786'8584'8382'8180},
                                       {kGpa + 8, 8, false, 0x8f8e'8d8c'8b8a'8988}}));
    EXPECT_EQ(registers.general[1], 0x8786'8584'8382'8180U);
    EXPECT_EQ(registers.general[3], 0x8f8e'8d8c'8b8a'8988U);
}

TEST_F(AccessSequenceTest, StorePairWithZeroRegisterStoresZero) {
    ASSERT_EQ(run(0xa8817c5f), AccessStep::done); // stp xzr, xzr, [x2], #16
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 8, true, 0}, {kGpa + 8, 8, true, 0}}));
    EXPECT_EQ(registers.general[2], kVa + 16);
}

TEST_F(AccessSequenceTest, LoadIntoZeroRegisterIsDiscarded) {
    remember_pattern(8);
    const auto before = std::vector<u64>(registers.general, registers.general + 31);
    ASSERT_EQ(run(0xf840045f), AccessStep::done); // ldr xzr, [x2], #0
    EXPECT_EQ(std::vector<u64>(registers.general, registers.general + 31), before);
}

TEST_F(AccessSequenceTest, SignedLoadsExtendToTheRegistersWidth) {
    remember({0x80, 0xff, 0xff, 0x80});
    struct Row {
        const char *text;
        u32 instruction;
        u64 expected;
    };
    const Row rows[] = {
        {"ldrb w1, [x2], #0", 0x38400441, 0x80},
        {"ldrsb w1, [x2], #0", 0x38c00441, 0xffff'ff80},
        {"ldrsb x1, [x2], #0", 0x38800441, 0xffff'ffff'ffff'ff80},
        {"ldrh w1, [x2], #0", 0x78400441, 0xff80},
        {"ldrsh w1, [x2], #0", 0x78c00441, 0xffff'ff80},
        {"ldrsh x1, [x2], #0", 0x78800441, 0xffff'ffff'ffff'ff80},
        {"ldr w1, [x2], #0", 0xb8400441, 0x80ff'ff80},
        {"ldrsw x1, [x2], #0", 0xb8800441, 0xffff'ffff'80ff'ff80},
    };
    for (const auto &row : rows) {
        registers.general[1] = 0x5555'5555'5555'5555;
        ASSERT_EQ(run(row.instruction), AccessStep::done) << row.text;
        EXPECT_EQ(registers.general[1], row.expected) << row.text;
    }
}

TEST_F(AccessSequenceTest, LdpswExtendsBoth) {
    remember({1, 0, 0, 0x80, 2, 0, 0, 0});
    ASSERT_EQ(run(0x69400c41), AccessStep::done); // ldpsw x1, x3, [x2]
    EXPECT_EQ(registers.general[1], 0xffff'ffff'8000'0001U);
    EXPECT_EQ(registers.general[3], 2U);
}

TEST_F(AccessSequenceTest, PreIndexMovesTheBaseFirst) {
    registers.general[2] = kVa - 1;
    ASSERT_EQ(run(0x38001c41), AccessStep::done); // strb w1, [x2, #1]!
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 1, true, 0x22}}));
    EXPECT_EQ(registers.general[2], kVa);
}

TEST_F(AccessSequenceTest, PostIndexUsesTheOldBase) {
    ASSERT_EQ(run(0xb81fc441), AccessStep::done); // str w1, [x2], #-4
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 4, true, 0x2222'2222}}));
    EXPECT_EQ(registers.general[2], kVa - 4);
}

TEST_F(AccessSequenceTest, StackPointerIsTheBaseForRegister31) {
    registers.stack = kVa - 16;
    ASSERT_EQ(run(0xf8410fe1), AccessStep::done); // ldr x1, [sp, #16]!
    EXPECT_EQ(registers.stack, kVa);
}

TEST_F(AccessSequenceTest, RegisterOffsetsExtendAndShift) {
    struct Row {
        const char *text;
        u32 instruction;
        u64 base;
        u64 index;
    };
    const Row rows[] = {
        {"ldr x1, [x2, x3]", 0xf8636841, kVa - 5, 5},
        {"ldr x1, [x2, x3, lsl #3]", 0xf8637841, kVa + 8, ~u64{0}},
        {"ldr x1, [x2, w3, uxtw #3]", 0xf8635841, kVa - 16, 0xdead'beef'0000'0002},
        {"ldr x1, [x2, w3, uxtw]", 0xf8634841, kVa - 0xffff'ffff, 0xffff'ffff},
        {"ldr x1, [x2, w3, sxtw #3]", 0xf863d841, kVa + 8, 0xffff'ffff},
        {"ldr x1, [x2, w3, sxtw]", 0xf863c841, kVa + 0x8000'0000, 0x8000'0000},
    };
    for (const auto &row : rows) {
        registers.general[2] = row.base;
        registers.general[3] = row.index;
        ASSERT_EQ(run(row.instruction), AccessStep::done) << row.text;
        EXPECT_EQ(seen.at(0).gpa, kGpa) << row.text;
    }
}

TEST_F(AccessSequenceTest, LiteralIsRelativeToPc) {
    registers.counter = kVa - 64;
    remember_pattern(4);
    ASSERT_EQ(run(0x18000201), AccessStep::done); // ldr w1, .+64
    EXPECT_EQ(registers.general[1], 0x8382'8180U);
}

TEST_F(AccessSequenceTest, ScalarSimdLoadZeroesTheRest) {
    remember_pattern(16);
    struct Row {
        const char *text;
        u32 instruction;
        u64 low;
        u64 high;
    };
    const Row rows[] = {
        {"ldr b1, [x2]", 0x3d400041, 0x80, 0},
        {"ldr h1, [x2]", 0x7d400041, 0x8180, 0},
        {"ldr s1, [x2]", 0xbd400041, 0x8382'8180, 0},
        {"ldr d1, [x2]", 0xfd400041, 0x8786'8584'8382'8180, 0},
        {"ldr q1, [x2]", 0x3dc00041, 0x8786'8584'8382'8180, 0x8f8e'8d8c'8b8a'8988},
    };
    for (const auto &row : rows) {
        ASSERT_EQ(run(row.instruction), AccessStep::done) << row.text;
        EXPECT_EQ(registers.vector[1][0], row.low) << row.text;
        EXPECT_EQ(registers.vector[1][1], row.high) << row.text;
    }
}

TEST_F(AccessSequenceTest, SimdPairStoresFourParts) {
    ASSERT_EQ(run(0xad000c41), AccessStep::done); // stp q1, q3, [x2]
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 8, true, registers.vector[1][0]},
                                       {kGpa + 8, 8, true, registers.vector[1][1]},
                                       {kGpa + 16, 8, true, registers.vector[3][0]},
                                       {kGpa + 24, 8, true, registers.vector[3][1]}}));
}

TEST_F(AccessSequenceTest, SecondPageIsTranslated) {
    const u64 last = (kVa | 0xfff) - 7;
    registers.general[2] = last;
    request.fault_address = GuestVirt{last};
    request.fault_gpa = Gpa{(kGpa | 0xfff) - 7};
    ASSERT_EQ(run(0xa9400c41), AccessStep::done); // ldp x1, x3, [x2]
    EXPECT_EQ(seen.at(0).gpa, (kGpa | 0xfff) - 7);
    EXPECT_EQ(seen.at(1).gpa, 0x0b00'0000U);
    EXPECT_EQ(translator.calls, 1U);
}

TEST_F(AccessSequenceTest, FaultInTheSecondPartTranslatesTheFirst) {
    registers.general[2] = kVa - 8 + 0x1000 - 0x100; // the second element begins the page after kVa's
    request.fault_address = GuestVirt{kVa + 0xf00};
    request.fault_gpa = Gpa{0x0b00'0000};
    ASSERT_EQ(run(0xa9400c41), AccessStep::refused) << "nothing maps the first part";
    EXPECT_FALSE(sequence.exit().emulatable);
    EXPECT_EQ(sequence.exit().gpa.value(), 0x0b00'0000U);
}

TEST_F(AccessSequenceTest, ElementAcrossPagesGoesBytewise) {
    const u64 at = (kVa | 0xfff) - 1;
    registers.general[2] = at;
    request.fault_address = GuestVirt{at};
    request.fault_gpa = Gpa{kGpa | 0xffe};
    ASSERT_EQ(run(0xb8004441), AccessStep::done); // str w1, [x2], #4
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa | 0xffe, 1, true, 0x22},
                                       {kGpa | 0xfff, 1, true, 0x22},
                                       {0x0b00'0000, 1, true, 0x22},
                                       {0x0b00'0001, 1, true, 0x22}}));
}

TEST_F(AccessSequenceTest, ATagInTheTopByteDoesNotMatter) {
    registers.general[2] = kVa ^ 0x5a00'0000'0000'0000;
    ASSERT_EQ(run(0xf8408041), AccessStep::refused) << "ldur x1, [x2, #8] is past the fault address";
    ASSERT_EQ(run(0xf8400441), AccessStep::done); // ldr x1, [x2], #0
    EXPECT_EQ(seen.at(0).gpa, kGpa);
}

TEST_F(AccessSequenceTest, PrefetchAndCacheMaintenanceDoNothing) {
    const auto before = std::vector<u64>(registers.general, registers.general + 31);
    for (const u32 instruction : {0xf9800040U, 0xd50b7e22U, 0xd50b7522U}) { // prfm, dc civac, ic ivau
        EXPECT_EQ(run(instruction), AccessStep::done);
        EXPECT_TRUE(seen.empty());
    }
    EXPECT_EQ(std::vector<u64>(registers.general, registers.general + 31), before);
}

TEST_F(AccessSequenceTest, BigEndianReversesEachElement) {
    request.endianness = Endianness::big;
    remember_pattern(16);
    ASSERT_EQ(run(0x29400c41), AccessStep::done); // ldp w1, w3, [x2]
    EXPECT_EQ(registers.general[1], 0x8081'8283U);
    EXPECT_EQ(registers.general[3], 0x8485'8687U);
    ASSERT_EQ(run(0x3dc00041), AccessStep::done); // ldr q1, [x2]
    EXPECT_EQ(registers.vector[1][1], 0x8081'8283'8485'8687U);
    EXPECT_EQ(registers.vector[1][0], 0x8889'8a8b'8c8d'8e8fU);
    registers.general[3] = 1;
    ASSERT_EQ(run(0xb8230041), AccessStep::done); // ldadd w3, w1, [x2]
    EXPECT_EQ(registers.general[1], 0x8081'8283U);
    EXPECT_EQ(memory[kGpa + 3], 0x84);
}

TEST_F(AccessSequenceTest, UnknownInstructionIsRefusedAtTheFaultingAddress) {
    for (const u32 instruction : {0U, 0xd503201fU, 0xd9200841U, 0xa5e0a000U}) { // udf, nop, stg, ld1d (SVE)
        ASSERT_EQ(run(instruction), AccessStep::refused);
        EXPECT_FALSE(sequence.exit().emulatable);
        EXPECT_EQ(sequence.exit().gpa, Gpa{kGpa});
    }
}

TEST_F(AccessSequenceTest, AnInstructionThatDoesNotTouchTheFaultAddressIsRefused) {
    registers.general[2] = kVa + 16;
    EXPECT_EQ(run(0xa9400c41), AccessStep::refused); // ldp x1, x3, [x2]
    registers.general[2] = kVa - 16;
    EXPECT_EQ(run(0xa9400c41), AccessStep::refused);
    registers.general[2] = kVa - 15;
    EXPECT_EQ(run(0xa9400c41), AccessStep::done);
}

// ---------------------------------------------------------------- With a valid syndrome

constexpr IssDataAbort syndrome(AccessSize size) {
    return IssDataAbort{}.with<IssDataAbort::Isv>(true).with<IssDataAbort::Sas>(size);
}

constexpr MemoryExit kStore =
    exit_from_syndrome(syndrome(AccessSize::halfword).with<IssDataAbort::Wnr>(true), Gpa{kGpa}, 0x1234'5678);
static_assert(kStore.data == 0x5678 && kStore.width == Width::b2 && kStore.access == MemoryAccess::write);
static_assert(kStore.emulatable && kStore.gpa == Gpa{kGpa});
constexpr MemoryExit kLoad = exit_from_syndrome(syndrome(AccessSize::doubleword), Gpa{kGpa}, ~u64{0});
static_assert(kLoad.data == 0 && kLoad.width == Width::b8 && kLoad.access == MemoryAccess::read);

TEST(SyndromeAccess, ExtendsWhatWasLoaded) {
    struct Row {
        AccessSize size;
        bool sign;
        bool wide;
        u64 data;
        u64 expected;
    };
    const Row rows[] = {
        {AccessSize::byte, false, false, 0xffff'ff80, 0x80},
        {AccessSize::byte, true, false, 0x80, 0xffff'ff80},
        {AccessSize::byte, true, true, 0x80, 0xffff'ffff'ffff'ff80},
        {AccessSize::byte, true, true, 0x17f, 0x7f},
        {AccessSize::halfword, false, true, 0xf'8001, 0x8001},
        {AccessSize::halfword, true, false, 0x8001, 0xffff'8001},
        {AccessSize::halfword, true, true, 0x8001, 0xffff'ffff'ffff'8001},
        {AccessSize::word, false, false, 0x5'8000'0000, 0x8000'0000},
        {AccessSize::word, true, true, 0x8000'0000, 0xffff'ffff'8000'0000},
        {AccessSize::doubleword, false, true, ~u64{1}, ~u64{1}},
    };
    for (const auto &row : rows) {
        const auto iss = syndrome(row.size).with<IssDataAbort::Sse>(row.sign).with<IssDataAbort::Sf>(row.wide);
        EXPECT_EQ(load_result(iss, row.data), row.expected) << std::hex << row.data;
    }
}

} // namespace
} // namespace sel4vm::aarch64
