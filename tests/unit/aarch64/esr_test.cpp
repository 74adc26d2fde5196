// SPDX-License-Identifier: BSD-2-Clause
//
// Syndrome layouts and register identifiers, checked on words written down by hand from the manual's diagrams.
#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/arch/aarch64/gic_system_registers.hpp>
#include <sel4vm/arch/aarch64/psci.hpp>
#include <sel4vm/arch/aarch64/smccc.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/arch/aarch64/timer_registers.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace sel4vm::aarch64 {
namespace {

// ldrh w5, [x1] on an unmapped page: ISV, SAS halfword, SRT 5, translation fault at level 3.
constexpr EsrEl2 kHalfwordLoad{0x9345'0007};
static_assert(kHalfwordLoad.ec() == Ec::data_abort_lower);
static_assert(kHalfwordLoad.get<EsrEl2::Il>());
static_assert(kHalfwordLoad.iss_as<IssDataAbort>().get<IssDataAbort::Isv>());
static_assert(kHalfwordLoad.iss_as<IssDataAbort>().get<IssDataAbort::Sas>() == AccessSize::halfword);
static_assert(kHalfwordLoad.iss_as<IssDataAbort>().get<IssDataAbort::Srt>() == 5);
static_assert(!kHalfwordLoad.iss_as<IssDataAbort>().get<IssDataAbort::Wnr>());
static_assert(fault_kind(kHalfwordLoad.iss_as<IssDataAbort>().get<IssDataAbort::Dfsc>()) == FaultStatus::translation);
static_assert(fault_level(kHalfwordLoad.iss_as<IssDataAbort>().get<IssDataAbort::Dfsc>()) == 3);

TEST(Ec, NamesEveryClassAndNothingElse) {
    unsigned named = 0;
    for (unsigned raw = 0; raw < 64; ++raw)
        if (std::string_view(to_string(static_cast<Ec>(raw))) != "reserved")
            ++named;
    EXPECT_EQ(named, 47U);
    EXPECT_STREQ(to_string(Ec::hvc64), "HVC");
    EXPECT_STREQ(to_string(static_cast<Ec>(0x02)), "reserved");
}

TEST(FaultStatus, SeparatesKindAndLevelOfAllSixtyFour) {
    // DFSC as the Arm ARM lists it; what it reserves is a kind of its own.
    struct Row {
        u8 status;
        FaultStatus kind;
        int level;
    };
    const Row named[] = {
        {0x10, FaultStatus::external, 0},
        {0x11, FaultStatus::tag_check, 0},
        {0x13, FaultStatus::external_on_walk, -1},
        {0x18, FaultStatus::parity, 0},
        {0x1b, FaultStatus::parity_on_walk, -1},
        {0x21, FaultStatus::alignment, 0},
        {0x22, FaultStatus::debug, 0},
        {0x29, FaultStatus::address_size, -1},
        {0x2b, FaultStatus::translation, -1},
        {0x30, FaultStatus::tlb_conflict, 0},
        {0x31, FaultStatus::unsupported_hardware_update, 0},
        {0x34, FaultStatus::lockdown, 0},
        {0x35, FaultStatus::unsupported_exclusive, 0},
    };
    const FaultStatus levelled[] = {FaultStatus::address_size,     FaultStatus::translation,
                                    FaultStatus::access_flag,      FaultStatus::permission,
                                    FaultStatus::external_on_walk, FaultStatus::parity_on_walk};
    std::array<Row, 64> all{};
    for (u8 status = 0; status < 64; ++status)
        all[status] = {status, static_cast<FaultStatus>(status), 0};
    for (const Row &row : named)
        all[row.status] = row;
    for (const FaultStatus kind : levelled)
        for (u8 level = 0; level < 4; ++level) {
            const u8 status = static_cast<u8>(static_cast<u8>(kind) + level);
            all[status] = {status, kind, level};
        }
    for (const Row &row : all) {
        EXPECT_EQ(fault_kind(row.status), row.kind) << unsigned{row.status};
        EXPECT_EQ(fault_level(row.status), row.level) << unsigned{row.status};
    }
}

TEST(Wfx, TellsTheFourInstructionsApart) {
    // ESR_EL2 of wfit x3: RN 3, RV, TI 2.
    const EsrEl2 esr{0x07f0'0000U | 3U << 5 | 1U << 2 | 2U};
    EXPECT_EQ(esr.ec(), Ec::wfx);
    const auto iss = esr.iss_as<IssWfx>();
    EXPECT_EQ(iss.get<IssWfx::Ti>(), WaitInstruction::wfit);
    EXPECT_EQ(iss.get<IssWfx::Rn>(), 3);
    EXPECT_TRUE(iss.get<IssWfx::Rv>());
    EXPECT_TRUE(iss.get<IssWfx::ConditionValid>());
}

TEST(SysregId, IsTheSameFromSyndromeAndInstruction) {
    // Every encoding, placed as MRS has it and as the ISS has it.
    for (u32 op0 = 0; op0 < 4; ++op0)
        for (u32 op1 = 0; op1 < 8; ++op1)
            for (u32 crn = 0; crn < 16; ++crn)
                for (u32 crm = 0; crm < 16; ++crm)
                    for (u32 op2 = 0; op2 < 8; ++op2) {
                        const u32 id = sysreg_id(op0, op1, crn, crm, op2);
                        const IssSysreg iss{op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | 31U << 5 | crm << 1 | 1};
                        const u32 instruction =
                            0xd520'0000 | op0 << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5 | 7;
                        ASSERT_EQ(sysreg_id(iss), id);
                        ASSERT_EQ(sysreg_id_of_instruction(instruction), id);
                        ASSERT_EQ(sysreg_op0(id), op0);
                        ASSERT_EQ(sysreg_op1(id), op1);
                        ASSERT_EQ(sysreg_crn(id), crn);
                        ASSERT_EQ(sysreg_crm(id), crm);
                        ASSERT_EQ(sysreg_op2(id), op2);
                    }
}

struct NamedEncoding {
    const char *text; ///< what the word assembles from
    u32 instruction;
    u32 id;
};

TEST(SysregId, NamesMatchTheAssembler) {
    const NamedEncoding rows[] = {
#include "sysreg_encodings.inc"
    };
    for (const auto &row : rows)
        EXPECT_EQ(sysreg_id_of_instruction(row.instruction), row.id) << row.text;
}

TEST(SysregId, OfNumberedRegistersCountsUpAsTheyDo) {
    for (u32 n = 0; n < 16; ++n)
        EXPECT_EQ(sysreg::ich_lr_el2(n), sysreg_id(3, 4, 12, n < 8 ? 12 : 13, n < 8 ? n : n - 8)) << n;
    for (u32 n = 0; n < 4; ++n) {
        EXPECT_EQ(sysreg::ich_ap0r_el2(n), sysreg_id(3, 4, 12, 8, n));
        EXPECT_EQ(sysreg::ich_ap1r_el2(n), sysreg_id(3, 4, 12, 9, n));
    }
    for (u32 n = 0; n < 16; ++n) {
        EXPECT_EQ(sysreg::dbgbvr_el1(n), sysreg_id(2, 0, 0, n, 4));
        EXPECT_EQ(sysreg::dbgbcr_el1(n), sysreg_id(2, 0, 0, n, 5));
        EXPECT_EQ(sysreg::dbgwvr_el1(n), sysreg_id(2, 0, 0, n, 6));
        EXPECT_EQ(sysreg::dbgwcr_el1(n), sysreg_id(2, 0, 0, n, 7));
    }
}

TEST(IdGroup, CoversCrm1To7) {
    EXPECT_TRUE(is_id_group3(sysreg::kIdPfr0El1));
    EXPECT_TRUE(is_id_group3(sysreg::kIdAa64mmfr2El1));
    EXPECT_TRUE(is_id_group3(sysreg_id(3, 0, 0, 7, 7)));
    EXPECT_FALSE(is_id_group3(sysreg::kMpidrEl1));
    EXPECT_FALSE(is_id_group3(sysreg::kSctlrEl1));
    EXPECT_FALSE(is_id_group3(sysreg::kCtrEl0));
}

TEST(Spsr, KnowsItsExceptionLevel) {
    EXPECT_EQ(Spsr{0x0}.exception_level(), 0U);
    EXPECT_EQ(Spsr{0x3c5}.exception_level(), 1U);
    EXPECT_EQ(Spsr{0x4}.exception_level(), 1U);
    EXPECT_EQ(Spsr{0x9}.exception_level(), 2U);
    EXPECT_EQ(Spsr{0x10}.exception_level(), 0U);
    EXPECT_EQ(Spsr{0x13}.exception_level(), 1U);
}

TEST(Smccc, BuildsPsciNumbers) {
    EXPECT_EQ(SmcccFunction::fast32(SmcccOwner::standard_secure, 0x12), psci::kSystemReset2_32);
    EXPECT_EQ(SmcccFunction::fast64(SmcccOwner::standard_secure, 0x03), psci::kCpuOn64);
    EXPECT_EQ(SmcccFunction{psci::kCpuOn64}.get<SmcccFunction::Owner>(), SmcccOwner::standard_secure);
    EXPECT_LT(psci::kLast32, trng::kVersion);
}

TEST(Psci, PowerStateFormatsHaveTheirReservedBits) {
    EXPECT_EQ(PsciPowerState::kReserved, 0xfcfe'0000U);
    EXPECT_EQ(PsciExtendedPowerState::kReserved, 0xb000'0000U);
}

TEST(CacheGeometry, ComesFromLog2Words) {
    const CtrEl0 cortex_a57{0x8444'c004};
    EXPECT_EQ(cortex_a57.data_line_bytes(), 64U);
    EXPECT_EQ(cortex_a57.instruction_line_bytes(), 64U);
    EXPECT_EQ(DczidEl0{4}.block_bytes(), 64U);
}

TEST(Hpfar, JoinsPageAndOffset) { EXPECT_EQ(HpfarEl2{0x9000'0}.gpa(0xffff'8000'1234'5018).value(), 0x900'0018U); }

} // namespace
} // namespace sel4vm::aarch64
