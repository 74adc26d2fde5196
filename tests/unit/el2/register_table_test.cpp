// SPDX-License-Identifier: BSD-2-Clause
//
// The table of registers, on the identification values of CPUs that QEMU 7.2 models and of made-up ones that have what it does not:
// fine-grained traps, MPAM, and everything newer. tests/system/registers_test.py holds the table against what a guest finds.
#include <hosts/el2/portable/registers/register_table.hpp>

#include <sel4vm/arch/aarch64/id_registers.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace sel4vm::el2 {
namespace {

namespace sysreg = aarch64::sysreg;
using aarch64::HcrEl2;
using aarch64::HcrxEl2;
using aarch64::MdcrEl2;

constexpr u64 kIdRegisters = 7 * 8;

/// Every field of the identification registers at its largest: a CPU that has everything, also what is not known today.
CpuIds everything() {
    CpuIds ids;
    for (u32 i = 0; i < kIdRegisters; ++i)
        ids.set(sysreg::kIdPfr0El1 + i, ~u64{0});
    // Fields where the largest value says "not there".
    ids.set(sysreg::kIdAa64dfr0El1, 0xffff'ffff'ffff'f9ff);
    ids.mpamidr = ~u64{0};
    return ids;
}

CpuIds with(u32 id, u64 value) {
    CpuIds ids;
    ids.set(id, value);
    return ids;
}

CpuIds cortex_a57() {
    CpuIds ids;
    ids.set(sysreg::kIdAa64pfr0El1, 0x2222);
    ids.set(sysreg::kIdAa64dfr0El1, 0x1030'5106);
    ids.set(sysreg::kIdAa64isar0El1, 0x1'1120);
    ids.set(sysreg::kIdAa64mmfr0El1, 0x1124);
    return ids;
}

CpuIds neoverse_n1() {
    CpuIds ids;
    ids.set(sysreg::kIdAa64pfr0El1, 0x1100'0000'1111'0022);
    ids.set(sysreg::kIdAa64pfr1El1, 0x20);
    ids.set(sysreg::kIdAa64dfr0El1, 0x1'1030'5408);
    ids.set(sysreg::kIdAa64isar0El1, 0x1000'1021'1120);
    ids.set(sysreg::kIdAa64isar1El1, 0x10'0001);
    ids.set(sysreg::kIdAa64mmfr0El1, 0x10'1125);
    ids.set(sysreg::kIdAa64mmfr1El1, 0x1021'2122);
    ids.set(sysreg::kIdAa64mmfr2El1, 0x1011);
    return ids;
}

constexpr u8 kCounters = 6;

bool traps(const RegisterRow &row, const Controls &controls) {
    const u64 value = controls[row.trap.control];
    switch (row.trap.when) {
    case Trap::When::none: return false;
    case Trap::When::set: return (value & row.trap.bits) == row.trap.bits;
    case Trap::When::clear: return (value & row.trap.bits) == 0;
    }
    return false;
}

bool exists(Control control, CpuFeatures features) {
    return features.has(kControlRegisters[static_cast<usize>(control)].needs);
}

/// op0, op1, CRn, CRm and op2, each a number or a range.
std::string encoding(const RegisterRow &row) {
    std::ostringstream text;
    const auto span = [&](Span s) {
        text << ' ' << unsigned{s.first};
        if (s.last != s.first)
            text << '-' << unsigned{s.last};
    };
    text << unsigned{row.op0};
    for (const Span s : {row.op1, row.crn, row.crm, row.op2})
        span(s);
    return text.str();
}

const char *name_of(Handling handling) {
    switch (handling) {
    case Handling::switched: return "switched";
    case Handling::simd: return "switched with SIMD";
    case Handling::timer: return "switched with the timer";
    case Handling::interrupts: return "switched with the interrupt interface";
    case Handling::pstate: return "PSTATE";
    case Handling::emulated: return "emulated";
    case Handling::lent: return "lent";
    case Handling::denied: return "denied";
    case Handling::constant: return "constant";
    case Handling::absent: return "absent";
    }
    return "?";
}

std::string name_of(CpuFeature feature) {
    switch (feature) {
    case CpuFeature::base: return "";
    case CpuFeature::amu_fgt: return "AMUv1 and FGT";
    case CpuFeature::mpam_bw: return "MPAM with HAS_BW_CTRL";
    case CpuFeature::mpam_hcr: return "MPAM with HAS_HCR";
    case CpuFeature::mpam_sme: return "MPAM and SME";
    default: break;
    }
    for (const NamedFeatureField &row : kNamedFeatureFields) {
        if (row.feature == feature)
            return row.name;
    }
    return "?";
}

std::string name_of(const Trap &trap) {
    if (trap.when == Trap::When::none)
        return "";
    std::ostringstream text;
    text << kControlRegisters[static_cast<usize>(trap.control)].name;
    if (trap.bits != ~u64{0}) {
        const char *separator = ", bit ";
        for (unsigned bit = 0; bit < 64; ++bit) {
            if ((trap.bits >> bit & 1) == 0)
                continue;
            text << separator << bit;
            separator = " and ";
        }
    }
    text << (trap.when == Trap::When::set ? " set" : " clear");
    if (trap.needs != CpuFeature::base)
        text << "; without " << name_of(trap.needs) << " switched";
    return text.str();
}

std::string documentation() {
    std::ostringstream text;
    text << "| registers | op0 op1 CRn CRm op2 | feature | handling | trapped by |\n|---|---|---|---|---|\n";
    for (const RegisterRow &row : kRegisters)
        text << "| " << row.name << " | " << encoding(row) << " | " << name_of(row.feature) << " | "
             << name_of(row.handling) << " | " << name_of(row.trap) << " |\n";
    return text.str();
}

// ---------------------------------------------------------------- The table itself

TEST(RegisterTable, NamesNoEncodingTwice) {
    for (usize i = 0; i < std::size(kRegisters); ++i)
        for (usize j = 0; j < i; ++j)
            EXPECT_FALSE(kRegisters[i].overlaps(kRegisters[j])) << kRegisters[i].name << " and " << kRegisters[j].name;
}

TEST(RegisterTable, HasTheSwitchedOnesFirstAndThoseOfEveryCpuBeforeTheOthers) {
    for (usize i = 0; i < std::size(kRegisters); ++i) {
        EXPECT_EQ(kRegisters[i].may_be_switched(), i < kSwitchedCount) << kRegisters[i].name;
        if (i < kSwitchedCount) {
            EXPECT_EQ(kRegisters[i].feature == CpuFeature::base, i < kAlwaysSwitchedCount) << kRegisters[i].name;
        }
    }
    EXPECT_EQ(el1_register(sysreg::kSctlrEl1).index, kAlwaysSwitchedCount - 1) << "translation is turned on last";
}

TEST(RegisterTable, FindsRowsByEncoding) {
    EXPECT_STREQ(find_register(sysreg::kDisrEl1)->name, "DISR_EL1");
    EXPECT_STREQ(find_register(sysreg::kOsdlrEl1)->name, "OSDLR_EL1");
    EXPECT_STREQ(find_register(sysreg::pmevcntr_el0(7))->name, "PMEVCNTR<n>_EL0, PMEVTYPER<n>_EL0, PMCCFILTR_EL0");
    EXPECT_EQ(find_register(aarch64::sysreg_id(3, 0, 1, 0, 4)), nullptr) << "unallocated";
}

TEST(RegisterTable, GivesAReasonForEachThatIsDeniedOrEmulated) {
    for (const RegisterRow &row : kRegisters) {
        const bool must_trap =
            row.handling == Handling::denied || row.handling == Handling::emulated || row.handling == Handling::lent;
        // ICC_SRE_EL2.Enable is the interrupt interface's own (virtual_interface.cpp).
        if (must_trap && row.id() != sysreg::kIccSreEl1) {
            EXPECT_NE(row.trap.when, Trap::When::none) << row.name;
        }
        if (!must_trap && row.handling != Handling::switched) {
            EXPECT_EQ(row.trap.when, Trap::When::none) << row.name;
        }
    }
}

TEST(RegisterTable, FeaturesHaveARowOrSeveral) {
    std::set<CpuFeature> found;
    for (const NamedFeatureField &row : kNamedFeatureFields) {
        found.insert(row.feature);
        EXPECT_TRUE(aarch64::is_id_group3(row.id)) << row.name;
        EXPECT_TRUE(CpuFeatures(with(row.id, u64{row.least} << row.shift)).has(row.feature)) << row.name;
        if (row.least > 0) {
            CpuIds less = with(row.id, u64{row.least - 1u} << row.shift);
            EXPECT_FALSE(CpuFeatures(less).has(row.feature)) << row.name;
        }
    }
    for (const CpuFeature derived :
         {CpuFeature::base, CpuFeature::amu_fgt, CpuFeature::mpam_bw, CpuFeature::mpam_hcr, CpuFeature::mpam_sme})
        found.insert(derived);
    EXPECT_EQ(found.size(), static_cast<usize>(CpuFeature::count_));
}

TEST(RegisterTable, IsTheTableInTheDocuments) {
    std::ifstream file(std::string(SEL4VM_TEST_DATA_DIR) + "/../src/hosts/el2/vcpu/registers.md");
    std::stringstream found;
    found << file.rdbuf();
    const std::string expected = documentation();
    const std::string written = testing::TempDir() + "registers.md";
    std::ofstream(written) << expected;
    EXPECT_NE(found.str().find("\n\n" + expected), std::string::npos)
        << "src/hosts/el2/vcpu/registers.md must hold the table that is in " << written;
}

// ---------------------------------------------------------------- What is made of it

TEST(GuestControls, TrapOnACpuThatHasEverythingWhatTheTableSays) {
    const CpuFeatures features(everything());
    const Controls controls(features, kCounters);
    for (const RegisterRow &row : kRegisters) {
        EXPECT_TRUE(features.has(row.feature)) << row.name;
        if (row.trap.when == Trap::When::none)
            continue;
        EXPECT_TRUE(traps(row, controls)) << row.name;
        EXPECT_TRUE(exists(row.trap.control, features)) << row.name;
    }
}

TEST(GuestControls, TrapWhateverAFeatureBringsAlone) {
    // Each with the control register that its traps are in, which the architecture requires beside it.
    for (const NamedFeatureField &field : kNamedFeatureFields) {
        CpuIds ids = with(field.id, u64{field.least} << field.shift);
        ids.mpamidr = ~u64{0};
        for (const RegisterRow &row : kRegisters) {
            if (row.feature != field.feature || row.trap.when == Trap::When::none)
                continue;
            const CpuFeatures features(ids);
            const Controls controls(features, kCounters);
            const bool has_control = exists(row.trap.control, features) && features.has(row.trap.needs);
            EXPECT_EQ(traps(row, controls) || !has_control, true) << row.name << " with " << field.name;
        }
    }
}

TEST(GuestControls, SetNoBitOfAFeatureThatIsNotThere) {
    const Controls controls(CpuFeatures(with(sysreg::kIdAa64pfr0El1, 0x11)), kCounters);
    EXPECT_EQ(controls[Control::hcr], HcrEl2::Rw::mask | HcrEl2::Tacr::mask | HcrEl2::Tsw::mask | HcrEl2::Tidcp::mask |
                                          HcrEl2::Tsc::mask | HcrEl2::Tid3::mask | HcrEl2::Twi::mask |
                                          (u64{1} << HcrEl2::Bsu::shift) | HcrEl2::Fb::mask | HcrEl2::Amo::mask |
                                          HcrEl2::Imo::mask | HcrEl2::Fmo::mask | HcrEl2::Ptw::mask |
                                          HcrEl2::Swio::mask | HcrEl2::Vm::mask);
    EXPECT_EQ(controls[Control::cptr], 0x33ffU);
    EXPECT_EQ(controls[Control::mdcr], MdcrEl2::Tda::mask | MdcrEl2::Tdosa::mask | MdcrEl2::Tdra::mask | kCounters);
    EXPECT_EQ(controls[Control::cnthctl], 0U);
    EXPECT_EQ(controls[Control::hcrx], 0U);
    EXPECT_EQ(controls[Control::mpam2], 0U);
}

TEST(GuestControls, AreWhatTheEmulatedCpusNeed) {
    const Controls a57(CpuFeatures(cortex_a57()), kCounters);
    EXPECT_EQ(a57[Control::hcr], 0x807c'263fU);
    EXPECT_EQ(a57[Control::cptr], 0x33ffU);
    EXPECT_EQ(a57[Control::mdcr], 0xe66U);
    const CpuFeatures n1(neoverse_n1());
    EXPECT_EQ(Controls(n1, kCounters)[Control::hcr], 0x18'807c'263fU) << "error records and ordering regions, too";
    EXPECT_EQ(Controls(n1, kCounters)[Control::mdcr], 0x2'4e66U) << "and sampling; nothing counts at EL2";
    EXPECT_TRUE(is_switched<el1_register(sysreg::kDisrEl1).index>(n1));
    EXPECT_FALSE(is_switched<el1_register(sysreg::kDisrEl1).index>(CpuFeatures(cortex_a57())));
    EXPECT_FALSE(exists(Control::vsesr, CpuFeatures(cortex_a57())));
    EXPECT_TRUE(exists(Control::vsesr, n1));
}

TEST(GuestControls, SwitchWhatCannotBeTrappedWithoutFineGrainedTraps) {
    constexpr auto kTpidr2 = el1_register(sysreg::kTpidr2El0).index;
    constexpr auto kSmpri = el1_register(aarch64::sysreg_id(3, 0, 1, 2, 4)).index;
    CpuIds sme = with(sysreg::kIdAa64pfr1El1, u64{1} << 24);
    EXPECT_TRUE(is_switched<kTpidr2>(CpuFeatures(sme)));
    EXPECT_TRUE(is_switched<kSmpri>(CpuFeatures(sme)));
    sme.set(sysreg::kIdAa64mmfr0El1, u64{1} << 56);
    EXPECT_FALSE(is_switched<kTpidr2>(CpuFeatures(sme)));
    EXPECT_FALSE(is_switched<kSmpri>(CpuFeatures(sme)));
    const Controls controls(CpuFeatures(sme), kCounters);
    EXPECT_EQ(controls[Control::hfgrtr] >> 54 & 3, 0U) << "a clear bit traps";
    EXPECT_FALSE(is_switched<kTpidr2>(CpuFeatures{})) << "no SME, no register";
}

TEST(GuestControls, WriteEveryFineGrainedTrapThatExists) {
    const CpuFeatures fgt2(with(sysreg::kIdAa64mmfr0El1, u64{2} << 56));
    const CpuFeatures fgt(with(sysreg::kIdAa64mmfr0El1, u64{1} << 56));
    for (const Control control :
         {Control::hfgrtr, Control::hfgwtr, Control::hfgitr, Control::hdfgrtr, Control::hdfgwtr}) {
        EXPECT_TRUE(exists(control, fgt));
        EXPECT_TRUE(exists(control, fgt2));
        EXPECT_FALSE(exists(control, CpuFeatures{}));
        EXPECT_EQ(Controls(fgt2, kCounters)[control], 0U);
    }
    for (const Control control :
         {Control::hfgrtr2, Control::hfgwtr2, Control::hfgitr2, Control::hdfgrtr2, Control::hdfgwtr2}) {
        EXPECT_FALSE(exists(control, fgt));
        EXPECT_TRUE(exists(control, fgt2));
        EXPECT_EQ(Controls(fgt2, kCounters)[control], 0U);
    }
    EXPECT_FALSE(exists(Control::hafgrtr, fgt2)) << "only with activity monitors";
}

TEST(GuestControls, KeepMemoryPartitioningFromGuests) {
    CpuIds ids = with(sysreg::kIdAa64pfr0El1, u64{1} << 40);
    const CpuFeatures plain(ids);
    EXPECT_EQ(Controls(plain, kCounters)[Control::mpam2], u64{1} << 58 | u64{1} << 49 | u64{1} << 48);
    EXPECT_TRUE(exists(Control::mpam1, plain) && exists(Control::mpam0, plain));
    EXPECT_FALSE(exists(Control::mpamhcr, plain));
    ids.mpamidr = u64{1} << 17;
    EXPECT_TRUE(exists(Control::mpamhcr, CpuFeatures(ids)));
    EXPECT_EQ(Controls(CpuFeatures(ids), kCounters)[Control::mpamhcr], u64{1} << 31);
    EXPECT_TRUE(CpuFeatures(with(sysreg::kIdAa64pfr1El1, u64{1} << 16)).has(CpuFeature::mpam)) << "version 0.1";
    CpuIds none;
    none.mpamidr = ~u64{0};
    EXPECT_FALSE(CpuFeatures(none).has(CpuFeature::mpam_hcr)) << "the register is not there";
}

TEST(GuestControls, LetGuestsHaveNothingOfNewerExtensions) {
    const Controls controls(CpuFeatures(everything()), kCounters);
    EXPECT_EQ(controls[Control::hcrx], HcrxEl2::Tallint::mask);
    EXPECT_EQ(controls[Control::cnthctl], 0U);
    EXPECT_EQ(controls[Control::hcr] &
                  (HcrEl2::Api::mask | HcrEl2::Apk::mask | HcrEl2::Ata::mask | HcrEl2::Enscxt::mask |
                   HcrEl2::Fien::mask | HcrEl2::Nv::mask | HcrEl2::Nv2::mask | HcrEl2::E2h::mask | HcrEl2::Tge::mask |
                   HcrEl2::Amvoffen::mask),
              0U);
    EXPECT_EQ(controls[Control::mdcr] & ~u64{0x1f}, MdcrEl2::Hpmd::mask | MdcrEl2::Hccd::mask | MdcrEl2::Tda::mask |
                                                        MdcrEl2::Tdosa::mask | MdcrEl2::Tdra::mask |
                                                        MdcrEl2::Tpm::mask | MdcrEl2::Tpmcr::mask |
                                                        MdcrEl2::Tpms::mask | MdcrEl2::Ttrf::mask);
}

TEST(GuestControls, CountNothingAtEl2AsFarAsTheCpuCanForbidIt) {
    for (const u64 version : {1U, 4U, 5U, 6U, 9U}) {
        const Controls controls(CpuFeatures(with(sysreg::kIdAa64dfr0El1, version << 8)), 6);
        const MdcrEl2 mdcr{controls[Control::mdcr]};
        EXPECT_EQ(mdcr.get<MdcrEl2::Hpmn>(), 6) << version;
        EXPECT_EQ(mdcr.get<MdcrEl2::Hpmd>(), version >= 4) << version;
        EXPECT_EQ(mdcr.get<MdcrEl2::Hccd>(), version >= 6) << version;
        EXPECT_TRUE(mdcr.get<MdcrEl2::Tpm>() && mdcr.get<MdcrEl2::Tpmcr>()) << version;
    }
}

TEST(RegisterTable, LendsCountersWhereAllThatIsNewerTraps) {
    const auto lends = [](u64 version, bool fgt2) {
        CpuIds ids = with(sysreg::kIdAa64dfr0El1, version << 8);
        ids.set(sysreg::kIdAa64mmfr0El1, u64{fgt2 ? 2U : 1U} << 56);
        return CpuFeatures(ids).has_lendable_pmu();
    };
    EXPECT_FALSE(lends(0, true));
    EXPECT_FALSE(lends(0xf, true)) << "not Arm's";
    for (const u64 version : {1U, 4U, 5U, 6U, 7U, 8U})
        EXPECT_TRUE(lends(version, false)) << version;
    EXPECT_FALSE(lends(9, false)) << "PMUACR_EL1 and PMZR_EL0 would be the guest's";
    EXPECT_TRUE(lends(9, true));
}

// ---------------------------------------------------------------- What a guest is told

TEST(RegisterTable, DeniesNothingThatGuestsAreTold) {
    // A CPU that has everything, as its guest sees it: none of the features whose registers are denied.
    const CpuIds host = everything();
    CpuIds guest;
    for (u32 i = 0; i < kIdRegisters; ++i) {
        const u32 id = sysreg::kIdPfr0El1 + i;
        guest.set(id, aarch64::guest_id_register(id, host.get(id), aarch64::GicVersion::v3, aarch64::GuestPmu::shown));
    }
    const CpuFeatures seen(guest);
    for (const RegisterRow &row : kRegisters) {
        if (row.handling == Handling::denied) {
            EXPECT_FALSE(seen.has(row.feature)) << row.name << ' ' << name_of(row.feature);
        }
    }
    // And those that a guest is told of are there.
    for (const CpuFeature feature : {CpuFeature::pan, CpuFeature::uao, CpuFeature::dit, CpuFeature::ssbs,
                                     CpuFeature::rng, CpuFeature::gic, CpuFeature::pmu_p5})
        EXPECT_TRUE(seen.has(feature)) << name_of(feature);
}

} // namespace
} // namespace sel4vm::el2
