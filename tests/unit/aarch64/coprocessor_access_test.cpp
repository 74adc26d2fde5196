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
                    const u32 monitor = sysreg_id(3, 3, crn, crm, opc2);
                    if (opc1 == 0 &&
                        (pmu_register(monitor).which != PmuRegister::none || (crn == 9 && crm == 14 && opc2 / 2 == 2)))
                        continue; // below
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
                if (crm == 9 && opc1 == 0)
                    continue; // below
                const bool exists = crm == 14 && names.contains(opc1);
                ASSERT_EQ(access.exists(), exists) << opc1 << ' ' << crm;
                if (exists) {
                    ASSERT_EQ(access, (CoprocessorAccess{static_cast<u16>(names.at(opc1)), read, true, 3, 14}));
                }
            }
}

TEST(CoprocessorAccess, PerformanceMonitorsAreNumberedAsInAArch64) {
    const auto id = [](u32 crn, u32 crm, u32 opc2, bool read) {
        return coprocessor_access(mcr(0, crn, crm, opc2, 3, read)).id;
    };
    EXPECT_EQ(id(9, 12, 0, true), sysreg::kPmcrEl0);
    EXPECT_EQ(id(9, 12, 4, false), sysreg::kPmswincEl0);
    EXPECT_EQ(id(9, 13, 0, true), sysreg::kPmccntrEl0);
    EXPECT_EQ(id(9, 14, 0, true), sysreg::kPmuserenrEl0);
    EXPECT_EQ(id(9, 14, 3, false), sysreg::kPmovssetEl0);
    EXPECT_EQ(id(14, 8, 1, true), sysreg::pmevcntr_el0(1));
    EXPECT_EQ(id(14, 15, 6, false), sysreg::pmevtyper_el0(30));
    EXPECT_EQ(id(14, 15, 7, false), sysreg::kPmccfiltrEl0);
    EXPECT_EQ(id(14, 11, 7, false), 0U) << "there is no event counter 31";
    for (const u32 el1_only : {1U, 2U})
        EXPECT_EQ(id(9, 14, el1_only, true), 0U) << "PMINTENSET and PMINTENCLR";
    EXPECT_EQ(coprocessor_access(mcrr(0, 9, 3, 4, true)),
              (CoprocessorAccess{static_cast<u16>(sysreg::kPmccntrEl0), true, true, 3, 4}));
    EXPECT_FALSE(coprocessor_access(mcrr(1, 9, 3, 4, true)).exists());
}

TEST(CoprocessorAccess, UpperHalvesHaveNamesOfTheirOwn) {
    const CoprocessorAccess access = coprocessor_access(mcr(0, 9, 14, 5, 3, true));
    EXPECT_EQ(access, (CoprocessorAccess{static_cast<u16>(sysreg::kPmceid1El0), true, false, 3, 0, true}));
    set_read_value(access, 0x1234'5678'9abc'def0, [](unsigned n, u64 value) {
        EXPECT_EQ(n, 3U);
        EXPECT_EQ(value, 0x1234'5678U);
    });
    EXPECT_FALSE(coprocessor_access(mcr(0, 9, 14, 4, 3, false)).exists()) << "read-only";
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
