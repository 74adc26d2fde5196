// SPDX-License-Identifier: BSD-2-Clause
//
// Which AArch32 accesses have a meaning, and where their operands are. Syndromes as a CPU makes them of the instructions (Arm ARM).
#include <sel4vm/arch/aarch64/coprocessor_access.hpp>

#include <gtest/gtest.h>

#include <array>
#include <map>

namespace sel4vm::aarch64 {
namespace {

constexpr EsrEl2 mcr(u32 opc1, u32 crn, u32 crm, u32 opc2, u32 rt, bool read, u32 ec = 0x03) {
    return EsrEl2{u64{ec} << 26 | 1U << 25 | opc2 << 17 | opc1 << 14 | crn << 10 | rt << 5 | crm << 1 | u32{read}};
}
constexpr EsrEl2 mcrr(u32 opc1, u32 crm, u32 rt, u32 rt2, bool read, u32 ec = 0x04) {
    return EsrEl2{u64{ec} << 26 | 1U << 25 | opc1 << 16 | rt2 << 10 | rt << 5 | crm << 1 | u32{read}};
}

TEST(CoprocessorAccess, OfAll32BitRegistersTheTimersTwoHaveAMeaning) {
    for (u32 opc1 = 0; opc1 < 8; ++opc1)
        for (u32 crn = 0; crn < 16; ++crn)
            for (u32 crm = 0; crm < 16; ++crm)
                for (u32 opc2 = 0; opc2 < 8; ++opc2) {
                    const bool timer = opc1 == 0 && crn == 14 && crm == 2;
                    const u32 expected = !timer      ? 0
                                         : opc2 == 0 ? sysreg::kCntpTvalEl0
                                         : opc2 == 1 ? sysreg::kCntpCtlEl0
                                                     : 0;
                    for (const bool read : {false, true}) {
                        const CoprocessorAccess access = coprocessor_access(mcr(opc1, crn, crm, opc2, 14, read));
                        ASSERT_EQ(access.exists(), expected != 0);
                        ASSERT_EQ(access.id, expected);
                        if (access.exists()) {
                            ASSERT_EQ(access, (CoprocessorAccess{static_cast<u16>(expected), read, false, 14, 0}));
                        }
                    }
                }
}

TEST(CoprocessorAccess, OfAll64BitRegistersTheCounterAndTheCompareValueHaveAMeaning) {
    const std::map<u32, u32> names{{0, sysreg::kCntpctEl0}, {2, sysreg::kCntpCvalEl0}, {8, sysreg::kCntpctssEl0}};
    for (u32 opc1 = 0; opc1 < 16; ++opc1)
        for (u32 crm = 0; crm < 16; ++crm)
            for (const bool read : {false, true}) {
                const CoprocessorAccess access = coprocessor_access(mcrr(opc1, crm, 3, 14, read));
                const bool exists = crm == 14 && names.contains(opc1);
                ASSERT_EQ(access.exists(), exists) << opc1 << ' ' << crm;
                if (exists) {
                    ASSERT_EQ(access, (CoprocessorAccess{static_cast<u16>(names.at(opc1)), read, true, 3, 14}));
                }
            }
}

TEST(CoprocessorAccess, ThePcIsNoOperand) {
    EXPECT_FALSE(coprocessor_access(mcr(0, 14, 2, 0, 15, true)).exists());
    EXPECT_FALSE(coprocessor_access(mcrr(0, 14, 15, 1, true)).exists());
    EXPECT_FALSE(coprocessor_access(mcrr(0, 14, 1, 15, true)).exists());
}

TEST(CoprocessorAccess, OtherClassesAreNone) {
    for (u32 ec = 0; ec < 64; ++ec) {
        EXPECT_EQ(coprocessor_access(mcr(0, 14, 2, 0, 1, true, ec)).exists(), ec == 3) << ec;
        EXPECT_EQ(coprocessor_access(mcrr(0, 14, 1, 2, true, ec)).exists(), ec == 4) << ec;
    }
}

TEST(CoprocessorAccess, ValuesAreInTheLowHalvesOfRegisters) {
    std::array<u64, 31> x{};
    x[1] = 0xffff'ffff'8765'4321;
    x[2] = 0xaaaa'aaaa'1234'5678;
    const auto get = [&](unsigned n) { return x[n]; };
    const auto set = [&](unsigned n, u64 value) { x[n] = value; };
    EXPECT_EQ(written_value(coprocessor_access(mcrr(2, 14, 1, 2, false)), get), 0x1234'5678'8765'4321U);
    EXPECT_EQ(written_value(coprocessor_access(mcr(0, 14, 2, 0, 1, false)), get), 0x8765'4321U);
    set_read_value(coprocessor_access(mcrr(2, 14, 1, 2, true)), 0xfedc'ba98'7654'3210, set);
    EXPECT_EQ(x[1], 0x7654'3210U);
    EXPECT_EQ(x[2], 0xfedc'ba98U);
    set_read_value(coprocessor_access(mcr(0, 14, 2, 1, 1, true)), 0xfedc'ba98'0000'0005, set);
    EXPECT_EQ(x[1], 5U);
    EXPECT_EQ(x[2], 0xfedc'ba98U);
}

} // namespace
} // namespace sel4vm::aarch64
