// SPDX-License-Identifier: BSD-2-Clause
//
// The generic timer: control register layouts and the interrupts that the Base System Architecture gives to its timers.
// Facts only.
#pragma once

#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

/// CNTV_CTL_EL0, CNTP_CTL_EL0, CNTHP_CTL_EL2 and the others of that form.
struct TimerControl : RegValue<TimerControl, u64> {
    using RegValue::RegValue;
    using Istatus = Field<2>; ///< condition met, read only
    using Imask = Field<1>;
    using Enable = Field<0>;
    static_assert(disjoint<Istatus, Imask, Enable>());
    /// What a guest can write.
    static constexpr u64 kWritable = Imask::mask | Enable::mask;
};

/// CNTHCTL_EL2 with HCR_EL2.E2H clear.
struct CnthctlEl2 : RegValue<CnthctlEl2, u64> {
    using RegValue::RegValue;
    using El1nvvct = Field<16>;
    using El1nvpct = Field<15>;
    using El1tvct = Field<14>; ///< trap EL1 and EL0 reads of the virtual counter
    using El1tvt = Field<13>;
    using Ecv = Field<12>;
    using Evntis = Field<17>;
    using Evnti = Field<7, 4, u8>;
    using Evntdir = Field<3>;
    using Evnten = Field<2>;
    using El1pcen = Field<1>;  ///< clear: trap EL1 and EL0 accesses of the physical timer
    using El1pcten = Field<0>; ///< clear: trap EL1 and EL0 reads of the physical counter
    static_assert(
        disjoint<El1nvvct, El1nvpct, El1tvct, El1tvt, Ecv, Evntis, Evnti, Evntdir, Evnten, El1pcen, El1pcten>());
};

struct CntkctlEl1 : RegValue<CntkctlEl1, u64> {
    using RegValue::RegValue;
    using El0pten = Field<9>;
    using El0vten = Field<8>;
    using El0vcten = Field<1>;
    using El0pcten = Field<0>;
    static_assert(disjoint<El0pten, El0vten, El0vcten, El0pcten>());
};

// INTIDs of the timers of each CPU (Arm BSA, "PPI assignments").
inline constexpr u32 kTimerIntidSecurePhysical = 29;
inline constexpr u32 kTimerIntidPhysical = 30; ///< EL1 physical timer
inline constexpr u32 kTimerIntidVirtual = 27;
inline constexpr u32 kTimerIntidHypervisor = 26; ///< EL2 physical timer
inline constexpr u32 kTimerIntidHypervisorVirtual = 28;
/// GIC maintenance interrupt of each CPU.
inline constexpr u32 kMaintenanceIntid = 25;

} // namespace sel4vm::aarch64
