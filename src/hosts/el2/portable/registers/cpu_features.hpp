// SPDX-License-Identifier: BSD-2-Clause
//
// The extensions of the architecture that bring registers or instructions which an EL2 must deal with, and how each is found in
// the identification registers. One that is not here has nothing that this host knows: guests do not see it (arch/aarch64/id_registers),
// and its registers trap as far as the architecture lets an older hypervisor have it (register_table.hpp).
#pragma once

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/types.hpp>

#include <array>

namespace sel4vm::el2 {

/// The identification registers as EL2 reads them (or as a test makes them up).
class CpuIds {
public:
    [[nodiscard]] constexpr u64 get(u32 id) const { return values_[index_of(id)]; }
    constexpr void set(u32 id, u64 value) { values_[index_of(id)] = value; }
    [[nodiscard]] constexpr u8 field(u32 id, u8 shift) const { return static_cast<u8>(get(id) >> shift & 0xf); }

    u64 midr = 0;
    u64 mpamidr = 0; ///< MPAMIDR_EL1, where MPAM is

private:
    static constexpr u32 kFirst = aarch64::sysreg_id(3, 0, 0, 1, 0);
    static constexpr u32 kCount = 7 * 8;
    static constexpr u32 index_of(u32 id) { return id - kFirst; }
    std::array<u64, kCount> values_{};
};

enum class CpuFeature : u8 {
    base, ///< every Armv8-A CPU
    able,
    aie,
    amu,
    amu_fgt, ///< both
    brbe,
    csv2_2,
    ebep,
    ecv,
    fgt,
    fgt2,
    fpmr,
    gcie,
    gcs,
    gic,
    hcx,
    ite,
    lor,
    ls64_accdata,
    mpam,
    mpam_bw,
    mpam_hcr,
    mpam_sme, ///< both
    mte2,
    nmi,
    pan,
    pauth,
    pfar,
    pmu,
    pmu_p1,
    pmu_p4,
    pmu_p5,
    pmu_p9,
    pmu_ss,
    ras,
    ras_v1p1,
    rng,
    s1pie,
    s1poe,
    s2poe,
    sctlr2,
    sme,
    spe,
    spmu,
    srmask,
    step2,
    sve,
    tcr2,
    the,
    trace,
    trbe,
    trf,
    uao,
    dit,
    ssbs,
    mte,
    count_,
};

/// Where a feature shows: it is there when the field lies in the range. A feature may have several such rows.
inline constexpr u8 kAnyValue = 0xf;
struct FeatureField {
    CpuFeature feature;
    u8 shift;
    u8 least;
    u8 most;
    u16 id;
};
struct NamedFeatureField {
    CpuFeature feature;
    const char *name; ///< the architecture's, without FEAT_
    u32 id;
    u8 shift;
    u8 least;
    u8 most = kAnyValue;
};

inline constexpr NamedFeatureField kNamedFeatureFields[] = {
    {CpuFeature::able, "ABLE", aarch64::sysreg::kIdAa64dfr1El1, 40, 1},
    {CpuFeature::aie, "AIE", aarch64::sysreg::kIdAa64mmfr3El1, 24, 1},
    {CpuFeature::amu, "AMUv1", aarch64::sysreg::kIdAa64pfr0El1, 44, 1},
    {CpuFeature::brbe, "BRBE", aarch64::sysreg::kIdAa64dfr0El1, 52, 1},
    {CpuFeature::csv2_2, "CSV2_2", aarch64::sysreg::kIdAa64pfr0El1, 56, 2},
    {CpuFeature::csv2_2, "CSV2_1p2", aarch64::sysreg::kIdAa64pfr1El1, 32, 2},
    {CpuFeature::dit, "DIT", aarch64::sysreg::kIdAa64pfr0El1, 48, 1},
    {CpuFeature::ebep, "EBEP", aarch64::sysreg::kIdAa64dfr1El1, 48, 1},
    {CpuFeature::ecv, "ECV", aarch64::sysreg::kIdAa64mmfr0El1, 60, 1},
    {CpuFeature::fgt, "FGT", aarch64::sysreg::kIdAa64mmfr0El1, 56, 1},
    {CpuFeature::fgt2, "FGT2", aarch64::sysreg::kIdAa64mmfr0El1, 56, 2},
    {CpuFeature::fpmr, "FPMR", aarch64::sysreg::kIdAa64pfr2El1, 32, 1},
    {CpuFeature::gcie, "GCIE", aarch64::sysreg::kIdAa64pfr2El1, 12, 1},
    {CpuFeature::gcs, "GCS", aarch64::sysreg::kIdAa64pfr1El1, 44, 1},
    {CpuFeature::gic, "GICv3", aarch64::sysreg::kIdAa64pfr0El1, 24, 1},
    {CpuFeature::hcx, "HCX", aarch64::sysreg::kIdAa64mmfr1El1, 40, 1},
    {CpuFeature::ite, "ITE", aarch64::sysreg::kIdAa64dfr1El1, 44, 1},
    {CpuFeature::lor, "LOR", aarch64::sysreg::kIdAa64mmfr1El1, 16, 1},
    {CpuFeature::ls64_accdata, "LS64_ACCDATA", aarch64::sysreg::kIdAa64isar1El1, 60, 3},
    {CpuFeature::mpam, "MPAM", aarch64::sysreg::kIdAa64pfr0El1, 40, 1},
    {CpuFeature::mpam, "MPAMv0p1", aarch64::sysreg::kIdAa64pfr1El1, 16, 1},
    {CpuFeature::mte, "MTE", aarch64::sysreg::kIdAa64pfr1El1, 8, 1},
    {CpuFeature::mte2, "MTE2", aarch64::sysreg::kIdAa64pfr1El1, 8, 2},
    {CpuFeature::nmi, "NMI", aarch64::sysreg::kIdAa64pfr1El1, 36, 1},
    {CpuFeature::pan, "PAN", aarch64::sysreg::kIdAa64mmfr1El1, 20, 1},
    {CpuFeature::pauth, "PAuth (QARMA5)", aarch64::sysreg::kIdAa64isar1El1, 4, 1},
    {CpuFeature::pauth, "PAuth", aarch64::sysreg::kIdAa64isar1El1, 8, 1},
    {CpuFeature::pauth, "PAuth (generic, QARMA5)", aarch64::sysreg::kIdAa64isar1El1, 24, 1},
    {CpuFeature::pauth, "PAuth (generic)", aarch64::sysreg::kIdAa64isar1El1, 28, 1},
    {CpuFeature::pauth, "PAuth (generic, QARMA3)", aarch64::sysreg::kIdAa64isar2El1, 8, 1},
    {CpuFeature::pauth, "PAuth (QARMA3)", aarch64::sysreg::kIdAa64isar2El1, 12, 1},
    {CpuFeature::pfar, "PFAR", aarch64::sysreg::kIdAa64pfr1El1, 60, 1},
    {CpuFeature::pmu, "PMUv3", aarch64::sysreg::kIdAa64dfr0El1, 8, 1, 0xe},
    {CpuFeature::pmu_p1, "PMUv3p1", aarch64::sysreg::kIdAa64dfr0El1, 8, 4, 0xe},
    {CpuFeature::pmu_p4, "PMUv3p4", aarch64::sysreg::kIdAa64dfr0El1, 8, 5, 0xe},
    {CpuFeature::pmu_p5, "PMUv3p5", aarch64::sysreg::kIdAa64dfr0El1, 8, 6, 0xe},
    {CpuFeature::pmu_p9, "PMUv3p9", aarch64::sysreg::kIdAa64dfr0El1, 8, 9, 0xe},
    {CpuFeature::pmu_ss, "PMUv3_SS", aarch64::sysreg::kIdAa64dfr0El1, 16, 1},
    {CpuFeature::ras, "RAS", aarch64::sysreg::kIdAa64pfr0El1, 28, 1},
    {CpuFeature::ras_v1p1, "RASv1p1", aarch64::sysreg::kIdAa64pfr0El1, 28, 2},
    {CpuFeature::ras_v1p1, "RASv1p1 (fraction)", aarch64::sysreg::kIdAa64pfr1El1, 12, 1},
    {CpuFeature::rng, "RNG", aarch64::sysreg::kIdAa64isar0El1, 60, 1},
    {CpuFeature::s1pie, "S1PIE", aarch64::sysreg::kIdAa64mmfr3El1, 8, 1},
    {CpuFeature::s1poe, "S1POE", aarch64::sysreg::kIdAa64mmfr3El1, 16, 1},
    {CpuFeature::s2poe, "S2POE", aarch64::sysreg::kIdAa64mmfr3El1, 20, 1},
    {CpuFeature::sctlr2, "SCTLR2", aarch64::sysreg::kIdAa64mmfr3El1, 4, 1},
    {CpuFeature::sme, "SME", aarch64::sysreg::kIdAa64pfr1El1, 24, 1},
    {CpuFeature::spe, "SPE", aarch64::sysreg::kIdAa64dfr0El1, 32, 1},
    {CpuFeature::spmu, "SPMU", aarch64::sysreg::kIdAa64dfr1El1, 32, 1},
    {CpuFeature::srmask, "SRMASK", aarch64::sysreg::kIdAa64mmfr4El1, 44, 1},
    {CpuFeature::ssbs, "SSBS", aarch64::sysreg::kIdAa64pfr1El1, 4, 1},
    {CpuFeature::step2, "STEP2", aarch64::sysreg::kIdAa64dfr2El1, 0, 1},
    {CpuFeature::sve, "SVE", aarch64::sysreg::kIdAa64pfr0El1, 32, 1},
    {CpuFeature::tcr2, "TCR2", aarch64::sysreg::kIdAa64mmfr3El1, 0, 1},
    {CpuFeature::the, "THE", aarch64::sysreg::kIdAa64pfr1El1, 48, 1},
    {CpuFeature::trace, "ETE", aarch64::sysreg::kIdAa64dfr0El1, 4, 1},
    {CpuFeature::trbe, "TRBE", aarch64::sysreg::kIdAa64dfr0El1, 44, 1},
    {CpuFeature::trf, "TRF", aarch64::sysreg::kIdAa64dfr0El1, 40, 1},
    {CpuFeature::uao, "UAO", aarch64::sysreg::kIdAa64mmfr2El1, 4, 1},
};

/// The same without the names, which the target does not need.
inline constexpr auto kFeatureFields = [] {
    std::array<FeatureField, std::size(kNamedFeatureFields)> fields{};
    for (usize i = 0; i < fields.size(); ++i) {
        const NamedFeatureField &from = kNamedFeatureFields[i];
        fields[i] = {from.feature, from.shift, from.least, from.most, static_cast<u16>(from.id)};
    }
    return fields;
}();

/// The features of one CPU.
class CpuFeatures {
public:
    constexpr CpuFeatures() = default;
    explicit CpuFeatures(const CpuIds &ids);
    [[nodiscard]] constexpr bool has(CpuFeature feature) const {
        return (bits_ >> static_cast<unsigned>(feature) & 1) != 0;
    }
    /// Its performance monitors can be a guest's: what is newer than this host goes on trapping meanwhile.
    [[nodiscard]] constexpr bool has_lendable_pmu() const {
        return has(CpuFeature::pmu) && (!has(CpuFeature::pmu_p9) || has(CpuFeature::fgt2));
    }

private:
    constexpr void add(CpuFeature feature) { bits_ |= u64{1} << static_cast<unsigned>(feature); }
    u64 bits_ = 1; // base
};
static_assert(static_cast<unsigned>(CpuFeature::base) == 0 && static_cast<unsigned>(CpuFeature::count_) <= 64);

} // namespace sel4vm::el2
