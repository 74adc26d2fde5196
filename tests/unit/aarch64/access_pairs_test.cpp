// SPDX-License-Identifier: BSD-2-Clause
//
// Pairs of registers of each size and bank, in both byte orders, and which registers an access reads at all.
#include "access_fixture.hpp"

namespace sel4vm::aarch64 {
namespace {

struct Pair {
    const char *text;
    u32 load;
    u32 store;
    unsigned bytes; ///< of one register
    bool vector;
};
// Of registers 4 and 5 at [x2].
constexpr Pair kPairs[] = {
    {"ldp/stp w4, w5", 0x2940'1444, 0x2900'1444, 4, false}, {"ldp/stp x4, x5", 0xa940'1444, 0xa900'1444, 8, false},
    {"ldp/stp s4, s5", 0x2d40'1444, 0x2d00'1444, 4, true},  {"ldp/stp d4, d5", 0x6d40'1444, 0x6d00'1444, 8, true},
    {"ldp/stp q4, q5", 0xad40'1444, 0xad00'1444, 16, true},
};

class AccessPairs : public AccessSequenceTest {
protected:
    /// Byte `n` of register 4 or 5.
    u8 byte_of(const Pair &pair, unsigned reg, unsigned n) const {
        const u64 word = pair.vector ? registers.vector[reg][n / 8] : registers.general[reg];
        return static_cast<u8>(word >> (8 * (n % 8)));
    }
    /// The place in memory of byte `n`.
    u64 place_of(const Pair &pair, unsigned reg, unsigned n) const {
        const bool big = request.endianness == Endianness::big;
        return kGpa + (reg - 4) * pair.bytes + (big ? pair.bytes - 1 - n : n);
    }
};

TEST_F(AccessPairs, AreLoadedRegisterByRegister) {
    for (const Endianness endianness : {Endianness::little, Endianness::big})
        for (const Pair &pair : kPairs) {
            request.endianness = endianness;
            remember_pattern(32);
            ASSERT_EQ(run(pair.load), AccessStep::done) << pair.text;
            for (unsigned reg = 4; reg < 6; ++reg)
                for (unsigned n = 0; n < (pair.vector ? 16u : 8u); ++n)
                    EXPECT_EQ(byte_of(pair, reg, n), n < pair.bytes ? memory[place_of(pair, reg, n)] : 0)
                        << pair.text << ' ' << reg << ' ' << n;
        }
}

TEST_F(AccessPairs, AreStoredRegisterByRegister) {
    for (const Endianness endianness : {Endianness::little, Endianness::big})
        for (const Pair &pair : kPairs) {
            request.endianness = endianness;
            registers.general[4] = 0x0123'4567'89ab'cdef;
            registers.general[5] = 0xfedc'ba98'7654'3210;
            memory.clear();
            ASSERT_EQ(run(pair.store), AccessStep::done) << pair.text;
            EXPECT_EQ(memory.size(), 2 * pair.bytes);
            for (unsigned reg = 4; reg < 6; ++reg)
                for (unsigned n = 0; n < pair.bytes; ++n)
                    EXPECT_EQ(memory[place_of(pair, reg, n)], byte_of(pair, reg, n))
                        << pair.text << ' ' << reg << ' ' << n;
        }
}

TEST_F(AccessPairs, ACompareAndSwapTakesBothWords) {
    for (const u64 differs : {0u, 1u, 2u}) { // none, the first, the second
        remember_pattern(8);
        registers.general[4] = 0x8382'8180 ^ (differs == 1);
        registers.general[5] = 0x8786'8584 ^ (differs == 2);
        registers.general[6] = 0x1716'1514'1312'1110;
        registers.general[7] = 0x2726'2524'2322'2120;
        ASSERT_EQ(run(0x08247c46), AccessStep::done); // casp w4, w5, w6, w7, [x2]
        EXPECT_EQ(registers.general[4], 0x8382'8180u);
        EXPECT_EQ(registers.general[5], 0x8786'8584u);
        for (unsigned n = 0; n < 8; ++n) {
            const unsigned stored = n < 4 ? 0x10 + n : 0x20 + n - 4;
            EXPECT_EQ(memory[kGpa + n], differs != 0 ? 0x80 + n : stored) << differs;
        }
    }
}

TEST_F(AccessPairs, StructuresOfTwoAreLoadedRegisterByRegister) {
    remember_pattern(8);
    const u64 low[] = {registers.vector[1][0], registers.vector[2][0]};
    const u64 high[] = {registers.vector[1][1], registers.vector[2][1]};
    ASSERT_EQ(run(0x4d608041), AccessStep::done); // ld2 {v1.s, v2.s}[2], [x2]
    for (unsigned n = 0; n < 2; ++n) {
        EXPECT_EQ(registers.vector[1 + n][0], low[n]);
        EXPECT_EQ(registers.vector[1 + n][1], (high[n] & ~low_mask(32)) | (n == 0 ? 0x8382'8180 : 0x8786'8584));
    }
    ASSERT_EQ(run(0x0d60c441), AccessStep::done); // ld2r {v1.4h, v2.4h}, [x2]
    EXPECT_EQ(registers.vector[1][0], 0x8180'8180'8180'8180);
    EXPECT_EQ(registers.vector[2][0], 0x8382'8382'8382'8382);
    EXPECT_EQ(registers.vector[1][1] | registers.vector[2][1], 0u);
}

TEST_F(AccessPairs, ALoadReadsOnlyTheRegisterOfItsAddress) {
    remember_pattern(32);
    for (const Pair &pair : kPairs) {
        registers.reads = 0;
        ASSERT_EQ(run(pair.load), AccessStep::done);
        EXPECT_EQ(registers.reads, 1u) << pair.text;
        registers.reads = 0;
        ASSERT_EQ(run(pair.store), AccessStep::done);
        EXPECT_EQ(registers.reads, pair.bytes == 16 ? 5u : 3u) << pair.text;
    }
    registers.reads = 0;
    ASSERT_EQ(run(0x4c408441), AccessStep::done); // ld2 {v1.8h, v2.8h}, [x2]
    EXPECT_EQ(registers.reads, 1u);
}

/// Hosts that do not tell FAR_EL2: the guest's tables say where the fault was.
TEST_F(AccessPairs, WithoutTheFaultAddressTheTablesTell) {
    request.fault_address = std::nullopt;
    registers.general[2] = kVa + 0x1000; // 0x0b00'0100 is there
    for (const u64 byte : {u64{0}, u64{1}, u64{7}}) {
        request.fault_gpa = Gpa{0x0b00'0100 + byte};
        ASSERT_EQ(run(0xf8400441), AccessStep::done) << byte; // ldr x1, [x2], #0
        EXPECT_EQ(seen, (std::vector<Seen>{{0x0b00'0100, 8, false, 0}}));
    }
    // Not of this access, or not what the tables say.
    for (const u64 gpa : {u64{0x0b00'00ff}, u64{0x0b00'0108}, u64{0x0b00'1100}, u64{0x0c00'0100}}) {
        request.fault_gpa = Gpa{gpa};
        EXPECT_EQ(run(0xf8400441), AccessStep::refused) << std::hex << gpa;
    }
    registers.general[2] = kVa + 0x2000; // mapped nowhere
    request.fault_gpa = Gpa{0x0b00'0100};
    EXPECT_EQ(run(0xf8400441), AccessStep::refused);
}

} // namespace
} // namespace sel4vm::aarch64
