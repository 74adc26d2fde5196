// SPDX-License-Identifier: BSD-2-Clause
//
// Emulated atomics, compare-and-swap and exclusives: reads and writes in order, monitors, alignment.
#include "access_fixture.hpp"

namespace sel4vm::aarch64 {
namespace {

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
    EXPECT_EQ(sequence.fault(), GuestException::unsupported_access);
}

TEST_F(AccessSequenceTest, UnalignedAtomicsAndExclusivesFault) {
    registers.general[2] = kVa + 4;
    request.fault_address = GuestVirt{kVa + 4};
    for (const u32 instruction : {0xf8230041U, 0xc85f7c43U, 0xc8a37c41U}) { // ldadd, ldxr, cas, 64 bits
        ASSERT_EQ(run(instruction), AccessStep::fault);
        EXPECT_EQ(sequence.fault(), GuestException::alignment);
    }
}

} // namespace
} // namespace sel4vm::aarch64
