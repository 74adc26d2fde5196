// SPDX-License-Identifier: BSD-2-Clause
//
// The EL2 registers that decide what a guest may do by itself, as a pure function of the CPU's features: made from the traps that
// register_table.hpp names, and from what is no register's matter (translation, interrupts, waits, calls).
#pragma once

#include <hosts/el2/portable/registers/cpu_features.hpp>

#include <sel4vm/base/assert.hpp>

#include <array>

namespace sel4vm::el2 {

enum class Control : u8 {
    hcr,
    cptr,
    mdcr,
    cnthctl,
    hstr,
    vsesr,
    hcrx,
    hfgrtr,
    hfgwtr,
    hfgitr,
    hdfgrtr,
    hdfgwtr,
    hafgrtr,
    hfgrtr2,
    hfgwtr2,
    hfgitr2,
    hdfgrtr2,
    hdfgwtr2,
    ich_hfgrtr,
    ich_hfgwtr,
    ich_hfgitr,
    mpam2,
    mpamhcr,
    mpambw2,
    mpam1,
    mpam0,
    count_,
};

struct ControlRegister {
    Control control;
    const char *name;
    u32 id;
    CpuFeature needs; ///< exists with this one only
};

/// In the order of the enumeration. The fine-grained traps and what newer extensions bring are UNKNOWN after reset, so each that exists
/// is written: zeros, which trap whatever has a bit of its own from FEAT_FGT on.
inline constexpr ControlRegister kControlRegisters[] = {
    {Control::hcr, "HCR_EL2", aarch64::sysreg_id(3, 4, 1, 1, 0), CpuFeature::base},
    {Control::cptr, "CPTR_EL2", aarch64::sysreg_id(3, 4, 1, 1, 2), CpuFeature::base},
    {Control::mdcr, "MDCR_EL2", aarch64::sysreg_id(3, 4, 1, 1, 1), CpuFeature::base},
    {Control::cnthctl, "CNTHCTL_EL2", aarch64::sysreg_id(3, 4, 14, 1, 0), CpuFeature::base},
    {Control::hstr, "HSTR_EL2", aarch64::sysreg_id(3, 4, 1, 1, 3), CpuFeature::base},
    {Control::vsesr, "VSESR_EL2", aarch64::sysreg_id(3, 4, 5, 2, 3), CpuFeature::ras},
    {Control::hcrx, "HCRX_EL2", aarch64::sysreg_id(3, 4, 1, 2, 2), CpuFeature::hcx},
    {Control::hfgrtr, "HFGRTR_EL2", aarch64::sysreg_id(3, 4, 1, 1, 4), CpuFeature::fgt},
    {Control::hfgwtr, "HFGWTR_EL2", aarch64::sysreg_id(3, 4, 1, 1, 5), CpuFeature::fgt},
    {Control::hfgitr, "HFGITR_EL2", aarch64::sysreg_id(3, 4, 1, 1, 6), CpuFeature::fgt},
    {Control::hdfgrtr, "HDFGRTR_EL2", aarch64::sysreg_id(3, 4, 3, 1, 4), CpuFeature::fgt},
    {Control::hdfgwtr, "HDFGWTR_EL2", aarch64::sysreg_id(3, 4, 3, 1, 5), CpuFeature::fgt},
    {Control::hafgrtr, "HAFGRTR_EL2", aarch64::sysreg_id(3, 4, 3, 1, 6), CpuFeature::amu_fgt},
    {Control::hfgrtr2, "HFGRTR2_EL2", aarch64::sysreg_id(3, 4, 3, 1, 2), CpuFeature::fgt2},
    {Control::hfgwtr2, "HFGWTR2_EL2", aarch64::sysreg_id(3, 4, 3, 1, 3), CpuFeature::fgt2},
    {Control::hfgitr2, "HFGITR2_EL2", aarch64::sysreg_id(3, 4, 3, 1, 7), CpuFeature::fgt2},
    {Control::hdfgrtr2, "HDFGRTR2_EL2", aarch64::sysreg_id(3, 4, 3, 1, 0), CpuFeature::fgt2},
    {Control::hdfgwtr2, "HDFGWTR2_EL2", aarch64::sysreg_id(3, 4, 3, 1, 1), CpuFeature::fgt2},
    {Control::ich_hfgrtr, "ICH_HFGRTR_EL2", aarch64::sysreg_id(3, 4, 12, 9, 4), CpuFeature::gcie},
    {Control::ich_hfgwtr, "ICH_HFGWTR_EL2", aarch64::sysreg_id(3, 4, 12, 9, 6), CpuFeature::gcie},
    {Control::ich_hfgitr, "ICH_HFGITR_EL2", aarch64::sysreg_id(3, 4, 12, 9, 7), CpuFeature::gcie},
    {Control::mpam2, "MPAM2_EL2", aarch64::sysreg_id(3, 4, 10, 5, 0), CpuFeature::mpam},
    {Control::mpamhcr, "MPAMHCR_EL2", aarch64::sysreg_id(3, 4, 10, 4, 0), CpuFeature::mpam_hcr},
    {Control::mpambw2, "MPAMBW2_EL2", aarch64::sysreg_id(3, 4, 10, 5, 4), CpuFeature::mpam_bw},
    {Control::mpam1, "MPAM1_EL1", aarch64::sysreg_id(3, 0, 10, 5, 0), CpuFeature::mpam},
    {Control::mpam0, "MPAM0_EL1", aarch64::sysreg_id(3, 0, 10, 5, 1), CpuFeature::mpam},
};

/// What each of them is to hold while a guest runs. A value counts only where its register exists.
class Controls {
public:
    Controls() = default;
    /// `event_counters` is MDCR_EL2.HPMN, the number of event counters below EL2: all that there are. A guest that has them counts nothing at EL2,
    /// unless its filters ask for that on a CPU that cannot forbid it: event counters before FEAT_PMUv3p1, the cycle counter before FEAT_PMUv3p5.
    Controls(CpuFeatures features, u8 event_counters);
    [[nodiscard]] u64 operator[](Control control) const { return values_[static_cast<usize>(control)]; }

private:
    std::array<u64, static_cast<usize>(Control::count_)> values_{};
};

} // namespace sel4vm::el2
