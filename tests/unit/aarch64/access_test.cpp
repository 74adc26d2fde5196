// SPDX-License-Identifier: BSD-2-Clause
//
// Emulated loads and stores: what the device sees, in which order, and what the registers become.
#include "access_fixture.hpp"

namespace sel4vm::aarch64 {
namespace {

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

TEST_F(AccessSequenceTest, AtomicsReadThenWriteAndReturnTheOldValue) {
    struct Row {
        const char *text;
        u32 instruction;
        u64 operand;
        u32 old;
        u32 expected;
    };
    const Row rows[] = {
        {"ldadd w3, w1, [x2]", 0xb8230041, 0xffff'ffff, 5, 4},
        {"ldclr w3, w1, [x2]", 0xb8231041, 0x0f, 0xff, 0xf0},
        {"ldeor w3, w1, [x2]", 0xb8232041, 0x0f, 0xff, 0xf0},
        {"ldset w3, w1, [x2]", 0xb8233041, 0xf00, 0xff, 0xfff},
        {"ldsmax w3, w1, [x2]", 0xb8234041, 1, 0xffff'ffff, 1},
        {"ldsmin w3, w1, [x2]", 0xb8235041, 1, 0xffff'ffff, 0xffff'ffff},
        {"ldumax w3, w1, [x2]", 0xb8236041, 0xaaaa'aaaa'0000'0001, 0xffff'ffff, 0xffff'ffff},
        {"ldumin w3, w1, [x2]", 0xb8237041, 0xaaaa'aaaa'0000'0001, 0xffff'ffff, 1},
        {"swp w3, w1, [x2]", 0xb8238041, 0xaaaa'aaaa'0000'0007, 0x8000'0000, 7},
    };
    for (const auto &row : rows) {
        registers.general[3] = row.operand;
        remember({static_cast<u8>(row.old), static_cast<u8>(row.old >> 8), static_cast<u8>(row.old >> 16),
                  static_cast<u8>(row.old >> 24)});
        ASSERT_EQ(run(row.instruction), AccessStep::done) << row.text;
        EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 4, false, row.old}, {kGpa, 4, true, row.expected}})) << row.text;
        EXPECT_EQ(registers.general[1], row.old) << row.text;
    }
}

TEST_F(AccessSequenceTest, NarrowSignedAtomicComparesInItsOwnWidth) {
    registers.general[3] = 0x01;
    remember({0x80});
    ASSERT_EQ(run(0x38234041), AccessStep::done); // ldsmaxb w3, w1, [x2]
    EXPECT_EQ(memory[kGpa], 0x01);
    EXPECT_EQ(registers.general[1], 0x80U) << "what is returned is zero-extended";
}

TEST_F(AccessSequenceTest, CompareAndSwapWritesOnlyWhenEqual) {
    registers.general[3] = 0xffff'ffff'0000'0005; // only the low word is compared
    registers.general[1] = 9;
    remember({5, 0, 0, 0});
    ASSERT_EQ(run(0x88a37c41), AccessStep::done); // cas w3, w1, [x2]
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 4, false, 5}, {kGpa, 4, true, 9}}));
    EXPECT_EQ(registers.general[3], 5U);
    registers.general[3] = 5;
    ASSERT_EQ(run(0x88a37c41), AccessStep::done);
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 4, false, 9}}));
    EXPECT_EQ(registers.general[3], 9U);
}

TEST_F(AccessSequenceTest, CompareAndSwapPairTakesSixteenBytes) {
    remember_pattern(16);
    registers.general[4] = 0x8786'8584'8382'8180;
    registers.general[5] = 0x8f8e'8d8c'8b8a'8988;
    ASSERT_EQ(run(0x48247c46), AccessStep::done); // casp x4, x5, x6, x7, [x2]
    EXPECT_EQ(seen.size(), 4U);
    EXPECT_EQ(memory[kGpa], 0x77);
    EXPECT_EQ(memory[kGpa + 8], 0x88);
    registers.general[5] = 0; // one half differs
    ASSERT_EQ(run(0x48247c46), AccessStep::done);
    EXPECT_EQ(seen.size(), 2U);
    EXPECT_EQ(registers.general[5], 0x8888'8888'8888'8888U);
}

TEST_F(AccessSequenceTest, StoreExclusiveNeedsItsLoad) {
    remember_pattern(16);
    registers.general[4] = 0x55;
    ASSERT_EQ(run(0xc8047c41), AccessStep::done); // stxr w4, x1, [x2]
    EXPECT_TRUE(seen.empty());
    EXPECT_EQ(registers.general[4], 1U);

    ASSERT_EQ(run(0xc85f7c43), AccessStep::done); // ldxr x3, [x2]
    EXPECT_EQ(registers.general[3], 0x8786'8584'8382'8180U);
    ASSERT_EQ(run(0xc8047c41), AccessStep::done);
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 8, true, registers.general[1]}}));
    EXPECT_EQ(registers.general[4], 0U);
    ASSERT_EQ(run(0xc8047c41), AccessStep::done);
    EXPECT_EQ(registers.general[4], 1U) << "a store-exclusive disarms the monitor";
}

TEST_F(AccessSequenceTest, StoreExclusiveOfAnotherSizeOrPlaceFails) {
    ASSERT_EQ(run(0xc85f7c43), AccessStep::done); // ldxr x3, [x2]
    ASSERT_EQ(run(0x88047c41), AccessStep::done); // stxr w4, w1, [x2]
    EXPECT_EQ(registers.general[4], 1U);
    ASSERT_EQ(run(0xc85f7c43), AccessStep::done);
    registers.general[2] = kVa + 8;
    request.fault_address = GuestVirt{kVa + 8};
    request.fault_gpa = Gpa{kGpa + 8};
    ASSERT_EQ(run(0xc8047c41), AccessStep::done);
    EXPECT_EQ(registers.general[4], 1U);
}

TEST_F(AccessSequenceTest, AnExceptionClearsTheMonitor) {
    ASSERT_EQ(run(0xc85f7c43), AccessStep::done); // ldxr x3, [x2]
    sequence.clear_monitor();
    ASSERT_EQ(run(0xc8047c41), AccessStep::done); // stxr w4, x1, [x2]
    EXPECT_EQ(registers.general[4], 1U);
}

TEST_F(AccessSequenceTest, ExclusivePairMovesBothRegisters) {
    remember_pattern(16);
    ASSERT_EQ(run(0xc87f0c41), AccessStep::done); // ldxp x1, x3, [x2]
    EXPECT_EQ(registers.general[3], 0x8f8e'8d8c'8b8a'8988U);
    registers.general[1] = 1;
    registers.general[3] = 3;
    ASSERT_EQ(run(0xc8240c41), AccessStep::done); // stxp w4, x1, x3, [x2]
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 8, true, 1}, {kGpa + 8, 8, true, 3}}));
    EXPECT_EQ(registers.general[4], 0U);
}

TEST_F(AccessSequenceTest, RefusedExclusivesFaultAsUnsupported) {
    request.exclusives = ExclusivePolicy::refuse;
    ASSERT_EQ(run(0xc85f7c43), AccessStep::fault); // ldxr x3, [x2]
    EXPECT_EQ(sequence.fault(), GuestFault::unsupported_access);
}

TEST_F(AccessSequenceTest, UnalignedAtomicsAndExclusivesFault) {
    registers.general[2] = kVa + 4;
    request.fault_address = GuestVirt{kVa + 4};
    for (const u32 instruction : {0xf8230041U, 0xc85f7c43U, 0xc8a37c41U}) { // ldadd, ldxr, cas, 64 bits
        ASSERT_EQ(run(instruction), AccessStep::fault);
        EXPECT_EQ(sequence.fault(), GuestFault::alignment);
    }
}

TEST_F(AccessSequenceTest, MultipleStructuresDeinterleave) {
    remember_pattern(32);
    ASSERT_EQ(run(0x4c408441), AccessStep::done); // ld2 {v1.8h, v2.8h}, [x2]
    EXPECT_EQ(seen.size(), 16U);
    EXPECT_EQ(registers.vector[1][0], 0x8d8c'8988'8584'8180U);
    EXPECT_EQ(registers.vector[2][0], 0x8f8e'8b8a'8786'8382U);
    EXPECT_EQ(registers.vector[1][1], 0x9d9c'9998'9594'9190U);
    EXPECT_EQ(registers.vector[2][1], 0x9f9e'9b9a'9796'9392U);
}

TEST_F(AccessSequenceTest, HalfVectorLoadClearsTheUpperHalf) {
    remember_pattern(16);
    ASSERT_EQ(run(0x0cdfac5f), AccessStep::done); // ld1 {v31.1d, v0.1d}, [x2], #16
    EXPECT_EQ(registers.vector[31][0], 0x8786'8584'8382'8180U);
    EXPECT_EQ(registers.vector[31][1], 0U);
    EXPECT_EQ(registers.vector[0][0], 0x8f8e'8d8c'8b8a'8988U) << "registers wrap around";
    EXPECT_EQ(registers.vector[0][1], 0U);
    EXPECT_EQ(registers.general[2], kVa + 16);
}

TEST_F(AccessSequenceTest, LaneLoadKeepsTheOtherLanes) {
    remember_pattern(4);
    const u64 low = registers.vector[1][0];
    const u64 high = registers.vector[1][1];
    ASSERT_EQ(run(0x4d405841), AccessStep::done); // ld1 {v1.h}[7], [x2]
    EXPECT_EQ(registers.vector[1][0], low);
    EXPECT_EQ(registers.vector[1][1], (high & 0x0000'ffff'ffff'ffff) | 0x8180'0000'0000'0000);
}

TEST_F(AccessSequenceTest, LaneStoreTakesOneLaneOfEach) {
    ASSERT_EQ(run(0x4d208041), AccessStep::done); // st2 {v1.s, v2.s}[2], [x2]
    EXPECT_EQ(seen, (std::vector<Seen>{{kGpa, 4, true, registers.vector[1][1] & 0xffff'ffff},
                                       {kGpa + 4, 4, true, registers.vector[2][1] & 0xffff'ffff}}));
}

TEST_F(AccessSequenceTest, ReplicatingLoadFillsEveryLane) {
    remember_pattern(4);
    ASSERT_EQ(run(0x0d40c441), AccessStep::done); // ld1r {v1.4h}, [x2]
    EXPECT_EQ(registers.vector[1][0], 0x8180'8180'8180'8180U);
    EXPECT_EQ(registers.vector[1][1], 0U);
}

TEST_F(AccessSequenceTest, StructurePostIndexByRegister) {
    registers.general[3] = 0x100;
    ASSERT_EQ(run(0x0d830001), AccessStep::refused) << "x0 points elsewhere"; // st1 {v1.b}[0], [x0], x3
    ASSERT_EQ(run(0x0d830041), AccessStep::done);                             // st1 {v1.b}[0], [x2], x3
    EXPECT_EQ(registers.general[2], kVa + 0x100);
}

TEST_F(AccessSequenceTest, ZeroBlockWritesTheWholeBlock) {
    registers.general[9] = kVa + 0x17;
    request.fault_address = GuestVirt{kVa + 0x17};
    request.fault_gpa = Gpa{kGpa + 0x17};
    ASSERT_EQ(run(0xd50b7429), AccessStep::done); // dc zva, x9
    ASSERT_EQ(seen.size(), 8U);
    for (unsigned i = 0; i < 8; ++i)
        EXPECT_EQ(seen[i], (Seen{kGpa + 8 * i, 8, true, 0}));
    request.zva_bytes = 2048;
    ASSERT_EQ(run(0xd50b7429), AccessStep::done);
    EXPECT_EQ(seen.size(), 256U);
    EXPECT_EQ(seen.front().gpa, align_down(kGpa, 2048));
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
