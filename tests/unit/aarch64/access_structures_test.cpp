// SPDX-License-Identifier: BSD-2-Clause
//
// Emulated loads and stores of SIMD structures, and of whole blocks of zeros.
#include "access_fixture.hpp"

namespace sel4vm::aarch64 {
namespace {

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

} // namespace
} // namespace sel4vm::aarch64
