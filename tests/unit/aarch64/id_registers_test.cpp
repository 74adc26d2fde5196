// SPDX-License-Identifier: BSD-2-Clause
//
// What guests see of the CPUs that QEMU 7.2 models; the host values were read on them.
#include <sel4vm/arch/aarch64/id_register_layouts.hpp>
#include <sel4vm/arch/aarch64/id_registers.hpp>
#include <sel4vm/arch/aarch64/pmu_registers.hpp>

#include <gtest/gtest.h>

namespace sel4vm::aarch64 {
namespace {

struct Row {
    const char *cpu;
    const char *name;
    u32 id;
    u64 host;
    u64 guest;
};

TEST(GuestIdRegisters, HideWhatTheListDoesNotName) {
    const Row rows[] = {
        {"cortex-a57", "ID_AA64PFR0", sysreg::kIdAa64pfr0El1, 0x2222, 0x12},
        {"cortex-a57", "ID_AA64PFR1", sysreg::kIdAa64pfr1El1, 0, 0},
        {"cortex-a57", "ID_AA64DFR0", sysreg::kIdAa64dfr0El1, 0x1030'5106, 0xf0'0010'1006},
        {"cortex-a57", "ID_AA64ISAR0", sysreg::kIdAa64isar0El1, 0x1'1120, 0x1'1120},
        {"cortex-a57", "ID_AA64MMFR0", sysreg::kIdAa64mmfr0El1, 0x1124, 0x24},
        {"cortex-a57", "ID_PFR0", sysreg::kIdPfr0El1, 0x131, 0x131},
        {"cortex-a57", "ID_PFR1", sysreg::kIdPfr1El1, 0x1'0001, 0x1'0001},
        {"cortex-a57", "ID_DFR0", sysreg::kIdDfr0El1, 0x0301'0006, 0x6},
        {"cortex-a57", "ID_MMFR0", sysreg::kIdMmfr0El1, 0x1010'1105, 0x1000'1105},
        {"cortex-a57", "ID_ISAR5", sysreg::kIdIsar5El1, 0x1'1121, 0x1'1121},
        {"cortex-a57", "MVFR0", sysreg::kMvfr0El1, 0x1011'0222, 0x1011'0222},
        {"cortex-a72", "ID_AA64PFR0", sysreg::kIdAa64pfr0El1, 0x2222, 0x12},
        {"cortex-a72", "ID_MMFR0", sysreg::kIdMmfr0El1, 0x1020'1105, 0x1000'1105},
        {"neoverse-n1", "ID_AA64PFR0", sysreg::kIdAa64pfr0El1, 0x1100'0000'1011'0012, 0x1100'0000'0011'0012},
        {"neoverse-n1", "ID_AA64PFR1", sysreg::kIdAa64pfr1El1, 0x20, 0x20},
        {"neoverse-n1", "ID_AA64DFR0", sysreg::kIdAa64dfr0El1, 0x1030'5408, 0xf0'0010'1006},
        {"neoverse-n1", "ID_AA64ISAR0", sysreg::kIdAa64isar0El1, 0x1000'1021'1120, 0x1000'1021'1120},
        {"neoverse-n1", "ID_AA64ISAR1", sysreg::kIdAa64isar1El1, 0x10'0001, 0x10'0001},
        {"neoverse-n1", "ID_AA64MMFR0", sysreg::kIdAa64mmfr0El1, 0x10'1125, 0x10'0025},
        {"neoverse-n1", "ID_AA64MMFR1", sysreg::kIdAa64mmfr1El1, 0x1021'2122, 0x20'2002},
        {"neoverse-n1", "ID_AA64MMFR2", sysreg::kIdAa64mmfr2El1, 0x1011, 0x11},
        {"neoverse-n1", "ID_PFR0", sysreg::kIdPfr0El1, 0x1001'0131, 0x1'0131},
        {"neoverse-n1", "ID_PFR1", sysreg::kIdPfr1El1, 0x1'0000, 0x1'0000},
        {"neoverse-n1", "ID_ISAR5", sysreg::kIdIsar5El1, 0x0101'1121, 0x0101'1121},
        {"neoverse-n1", "ID_ISAR6", sysreg::kIdIsar6El1, 0x10, 0x10},
        {"max", "ID_AA64PFR0", sysreg::kIdAa64pfr0El1, 0x1201'0011'2011'0022, 0x1101'0000'0011'0012},
        {"max", "ID_AA64PFR1", sysreg::kIdAa64pfr1El1, 0x0100'0021, 0x21},
        {"max", "ID_AA64PFR1 with MTE", sysreg::kIdAa64pfr1El1, 0x0100'0321, 0x21},
        {"max", "ID_AA64ZFR0", sysreg::kIdAa64zfr0El1, 0x0110'1101'0011'0021, 0},
        {"max", "ID_AA64SMFR0", sysreg::kIdAa64smfr0El1, 0x80f1'00fd'0000'0000, 0},
        {"max", "ID_AA64DFR0", sysreg::kIdAa64dfr0El1, 0x1030'5609, 0xf0'0010'1006},
        {"max", "ID_AA64ISAR0", sysreg::kIdAa64isar0El1, 0x1221'1111'1021'2120, 0x1221'1111'1021'2120},
        {"max", "ID_AA64ISAR1", sysreg::kIdAa64isar1El1, 0x0011'1111'0121'1012, 0x0011'1111'0021'1002},
        {"max", "ID_AA64MMFR0", sysreg::kIdAa64mmfr0El1, 0x0323'1020'1126, 0x10'0025},
        {"max", "ID_AA64MMFR1", sysreg::kIdAa64mmfr1El1, 0x0110'1021'1122, 0x10'0020'1002},
        {"max", "ID_AA64MMFR2", sysreg::kIdAa64mmfr2El1, 0x1021'0110'1001'1011, 0x1021'0000'1001'0011},
        {"max", "ID_PFR0", sysreg::kIdPfr0El1, 0x1102'0131, 0x0101'0131},
        {"max", "ID_PFR2", sysreg::kIdPfr2El1, 0x11, 0x11},
        {"max", "ID_DFR0", sysreg::kIdDfr0El1, 0x0601'0009, 0x6},
    };
    for (const auto &row : rows)
        EXPECT_EQ(guest_id_register(row.id, row.host, GicVersion::v2), row.guest) << row.cpu << ' ' << row.name;
}

TEST(GuestIdRegisters, ShowTheGuestsOwnInterruptController) {
    // The host's GIC does not matter: a GICv3 host may run a GICv2 guest.
    for (const u64 host : {u64{0x2222}, u64{0x0100'2222}, u64{0x0300'2222}}) {
        EXPECT_EQ(guest_id_register(sysreg::kIdAa64pfr0El1, host, GicVersion::v2), 0x12U);
        EXPECT_EQ(guest_id_register(sysreg::kIdAa64pfr0El1, host, GicVersion::v3), 0x0100'0012U);
    }
    EXPECT_EQ(guest_id_register(sysreg::kIdPfr1El1, 0x0001'0001, GicVersion::v3), 0x1001'0001U);
    EXPECT_EQ(guest_id_register(sysreg::kIdPfr1El1, 0x3001'0001, GicVersion::v2), 0x1'0001U);
}

TEST(GuestIdRegisters, ShowPerformanceMonitorsToWhomTheyAreLent) {
    const auto versions = [](u64 host, GuestPmu pmu) {
        const u64 aarch64 = guest_id_register(sysreg::kIdAa64dfr0El1, host << 8, GicVersion::v3, pmu);
        const u64 aarch32 = guest_id_register(sysreg::kIdDfr0El1, host << 24, GicVersion::v3, pmu);
        EXPECT_EQ(aarch64 >> 8 & 0xf, aarch32 >> 24 & 0xf) << host;
        return aarch64 >> 8 & 0xf;
    };
    for (const u64 host : {0U, 1U, 4U, 5U, 6U})
        EXPECT_EQ(versions(host, GuestPmu::shown), host);
    for (const u64 host : {7U, 8U, 9U, 0xeU})
        EXPECT_EQ(versions(host, GuestPmu::shown), pmu_version::kV3p5) << "as much as is known";
    EXPECT_EQ(versions(0xf, GuestPmu::shown), pmu_version::kNone) << "not Arm's";
    for (u64 host = 0; host < 16; ++host)
        EXPECT_EQ(versions(host, GuestPmu::hidden), pmu_version::kNone);
}

TEST(GuestIdRegisters, KeepAbsentFloatingPointAbsent) {
    const u64 guest = guest_id_register(sysreg::kIdAa64pfr0El1, 0x00ff'0011, GicVersion::v2);
    EXPECT_EQ(IdAa64pfr0{guest}.get<IdAa64pfr0::Fp>(), 0xf);
    EXPECT_EQ(IdAa64pfr0{guest}.get<IdAa64pfr0::AdvSimd>(), 0xf);
}

TEST(GuestIdRegisters, KeepAbsentGranulesAbsent) {
    const u64 guest = guest_id_register(sysreg::kIdAa64mmfr0El1, 0xff00'0024, GicVersion::v2);
    EXPECT_EQ(guest, 0xff00'0024U);
}

TEST(GuestIdRegisters, HideEveryTrapBasedFeatureOnACpuThatHasAll) {
    // A CPU of the future: every field at its largest positive value.
    const u64 everything = 0x7777'7777'7777'7777;
    const auto guest = [&](u32 id) { return guest_id_register(id, everything, GicVersion::v3); };
    const IdAa64pfr0 pfr0{guest(sysreg::kIdAa64pfr0El1)};
    EXPECT_EQ(pfr0.get<IdAa64pfr0::Sve>(), 0);
    EXPECT_EQ(pfr0.get<IdAa64pfr0::Ras>(), 0);
    EXPECT_EQ(pfr0.get<IdAa64pfr0::Amu>(), 0);
    EXPECT_EQ(pfr0.get<IdAa64pfr0::Mpam>(), 0);
    EXPECT_EQ(pfr0.get<IdAa64pfr0::El2>(), 0);
    EXPECT_EQ(pfr0.get<IdAa64pfr0::El3>(), 0);
    EXPECT_EQ(pfr0.get<IdAa64pfr0::Gic>(), 1);
    const IdAa64pfr1 pfr1{guest(sysreg::kIdAa64pfr1El1)};
    EXPECT_EQ(pfr1.get<IdAa64pfr1::Mte>(), 0);
    EXPECT_EQ(pfr1.get<IdAa64pfr1::Sme>(), 0);
    EXPECT_EQ(pfr1.get<IdAa64pfr1::Nmi>(), 0);
    const IdAa64isar1 isar1{guest(sysreg::kIdAa64isar1El1)};
    EXPECT_EQ(isar1.raw() &
                  (IdAa64isar1::Apa::mask | IdAa64isar1::Api::mask | IdAa64isar1::Gpa::mask | IdAa64isar1::Gpi::mask),
              0U);
    const IdAa64isar2 isar2{guest(sysreg::kIdAa64isar2El1)};
    EXPECT_EQ(isar2.raw() & (IdAa64isar2::Apa3::mask | IdAa64isar2::Gpa3::mask | IdAa64isar2::Mops::mask), 0U);
    const IdAa64dfr0 dfr0{guest(sysreg::kIdAa64dfr0El1)};
    EXPECT_EQ(dfr0.get<IdAa64dfr0::PmuVer>(), 0);
    EXPECT_EQ(dfr0.get<IdAa64dfr0::PmsVer>(), 0);
    EXPECT_EQ(dfr0.get<IdAa64dfr0::TraceBuffer>(), 0);
    EXPECT_EQ(dfr0.get<IdAa64dfr0::DebugVer>(), 6);
    const IdAa64mmfr1 mmfr1{guest(sysreg::kIdAa64mmfr1El1)};
    EXPECT_EQ(mmfr1.get<IdAa64mmfr1::Vh>(), 0);
    EXPECT_EQ(mmfr1.get<IdAa64mmfr1::Lo>(), 0);
    EXPECT_EQ(IdAa64mmfr2{guest(sysreg::kIdAa64mmfr2El1)}.get<IdAa64mmfr2::Nv>(), 0);
}

TEST(GuestIdRegisters, ReservedRegistersReadAsZero) {
    for (u32 id = sysreg_id(3, 0, 0, 4, 6); id <= sysreg_id(3, 0, 0, 7, 7); ++id) {
        const bool named = id == sysreg::kIdAa64dfr0El1 || id == sysreg::kIdAa64isar0El1 ||
                           id == sysreg::kIdAa64isar1El1 || id == sysreg::kIdAa64isar2El1 ||
                           id == sysreg::kIdAa64mmfr0El1 || id == sysreg::kIdAa64mmfr1El1 ||
                           id == sysreg::kIdAa64mmfr2El1;
        if (named)
            continue;
        EXPECT_EQ(guest_id_register(id, ~u64{0}, GicVersion::v3), 0U) << id;
    }
    EXPECT_EQ(guest_id_register(sysreg::kIdAfr0El1, ~u64{0}, GicVersion::v3), 0U);
}

TEST(PstateFeatures, FollowTheCpu) {
    const auto of_max = pstate_features(IdAa64pfr0{0x1201'0011'2111'0022}, IdAa64pfr1{0x0100'0321},
                                        IdAa64mmfr1{0x0110'1021'1122}, IdAa64mmfr2{0x1021'0110'1001'1011});
    EXPECT_TRUE(of_max.pan && of_max.uao && of_max.dit && of_max.ssbs && of_max.mte);
    EXPECT_FALSE(of_max.nmi);
    const auto of_a57 = pstate_features(IdAa64pfr0{0x2222}, IdAa64pfr1{}, IdAa64mmfr1{}, IdAa64mmfr2{});
    EXPECT_FALSE(of_a57.pan || of_a57.uao || of_a57.dit || of_a57.ssbs || of_a57.mte || of_a57.nmi);
}

TEST(PaRange, GivesAddressBits) {
    EXPECT_EQ(address_bits_of_pa_range(4), 44U);
    EXPECT_EQ(address_bits_of_pa_range(6), 52U);
    EXPECT_EQ(address_bits_of_pa_range(9), 0U);
}

} // namespace
} // namespace sel4vm::aarch64
