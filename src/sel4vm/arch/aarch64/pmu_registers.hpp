// SPDX-License-Identifier: BSD-2-Clause
//
// The registers of the Performance Monitors Extension up to FEAT_PMUv3p5 (Arm ARM DDI 0487, chapter "The Performance Monitors Extension"):
// which of them an id names, and when the counters' interrupt is asserted. Pure functions; who has the registers is the host's matter.
#pragma once

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

/// What ID_AA64DFR0_EL1.PMUVer says.
namespace pmu_version {
inline constexpr u8 kNone = 0;
inline constexpr u8 kV3 = 1;
inline constexpr u8 kV3p1 = 4;
inline constexpr u8 kV3p4 = 5;
inline constexpr u8 kV3p5 = 6;
inline constexpr u8 kOther = 0xf; ///< counters that are not Arm's
} // namespace pmu_version

struct PmcrEl0 : RegValue<PmcrEl0, u64> {
    using RegValue::RegValue;
    using Counters = Field<15, 11, u8>; ///< N
    using ClockReset = Field<2>;        ///< C: write-only
    using EventReset = Field<1>;        ///< P: write-only
    using Enable = Field<0>;
    static_assert(disjoint<Counters, ClockReset, EventReset, Enable>());
};
/// What software sets: from FZS down to LP, LC, DP, X, D, and E.
inline constexpr u64 kPmcrWritable = u64{1} << 32 | 0x2f9;

/// The cycle counter among the event counters, in the sets and in PMSELR_EL0.
inline constexpr u32 kCycleCounter = 31;
/// The bits of `events` event counters (at most 31) and of the cycle counter in PMCNTENSET_EL0 and the other sets.
[[nodiscard]] constexpr u64 pmu_counters(u8 events) { return u64{1} << kCycleCounter | low_mask<u64>(events); }

enum class PmuRegister : u8 {
    none,
    control,         ///< PMCR_EL0
    enable_set,      ///< PMCNTENSET_EL0
    enable_clear,    ///< PMCNTENCLR_EL0
    overflow_clear,  ///< PMOVSCLR_EL0
    overflow_set,    ///< PMOVSSET_EL0
    increment,       ///< PMSWINC_EL0
    select,          ///< PMSELR_EL0
    events0,         ///< PMCEID0_EL0
    events1,         ///< PMCEID1_EL0
    cycles,          ///< PMCCNTR_EL0
    selected_type,   ///< PMXEVTYPER_EL0
    selected_count,  ///< PMXEVCNTR_EL0
    user,            ///< PMUSERENR_EL0
    interrupt_set,   ///< PMINTENSET_EL1
    interrupt_clear, ///< PMINTENCLR_EL1
    machine,         ///< PMMIR_EL1, from FEAT_PMUv3p4 on
    count,           ///< PMEVCNTR<n>_EL0
    type,            ///< PMEVTYPER<n>_EL0; of the cycle counter PMCCFILTR_EL0
};
struct PmuName {
    PmuRegister which = PmuRegister::none;
    u8 number = 0; ///< of `count` and `type`
    friend constexpr bool operator==(const PmuName &, const PmuName &) = default;
};

/// The ids are all of op0 3; `none` for every other one, and for what is newer than this file.
[[nodiscard]] constexpr PmuName pmu_register(u32 id) {
    if (id >= sysreg::pmevcntr_el0(0) && id <= sysreg::kPmccfiltrEl0) {
        const auto number = static_cast<u8>(id & 31);
        if ((id & 32) != 0)
            return {PmuRegister::type, number};
        return number == kCycleCounter ? PmuName{} : PmuName{PmuRegister::count, number};
    }
    switch (id) {
    case sysreg::kPmcrEl0: return {PmuRegister::control};
    case sysreg::kPmcntensetEl0: return {PmuRegister::enable_set};
    case sysreg::kPmcntenclrEl0: return {PmuRegister::enable_clear};
    case sysreg::kPmovsclrEl0: return {PmuRegister::overflow_clear};
    case sysreg::kPmovssetEl0: return {PmuRegister::overflow_set};
    case sysreg::kPmswincEl0: return {PmuRegister::increment};
    case sysreg::kPmselrEl0: return {PmuRegister::select};
    case sysreg::kPmceid0El0: return {PmuRegister::events0};
    case sysreg::kPmceid1El0: return {PmuRegister::events1};
    case sysreg::kPmccntrEl0: return {PmuRegister::cycles};
    case sysreg::kPmxevtyperEl0: return {PmuRegister::selected_type};
    case sysreg::kPmxevcntrEl0: return {PmuRegister::selected_count};
    case sysreg::kPmuserenrEl0: return {PmuRegister::user};
    case sysreg::kPmintensetEl1: return {PmuRegister::interrupt_set};
    case sysreg::kPmintenclrEl1: return {PmuRegister::interrupt_clear};
    case sysreg::kPmmirEl1: return {PmuRegister::machine};
    default: return {};
    }
}
static_assert((sysreg::pmevcntr_el0(0) & 63) == 0 && (sysreg::pmevtyper_el0(0) & 63) == 32);

/// What PMXEVTYPER_EL0 or PMXEVCNTR_EL0 is with this PMSELR_EL0 and so many event counters; `none` where no such counter is.
[[nodiscard]] constexpr PmuName selected_pmu_register(PmuRegister through, u64 select, u8 events) {
    const auto number = static_cast<u8>(select & 31);
    const bool type = through == PmuRegister::selected_type;
    if (number >= events && !(type && number == kCycleCounter))
        return {};
    return {type ? PmuRegister::type : PmuRegister::count, number};
}

/// The counters' interrupt, when every counter is PMCR_EL0.E's.
[[nodiscard]] constexpr bool pmu_interrupt_asserted(u64 control, u64 overflows, u64 interrupt_enable) {
    return PmcrEl0{control}.get<PmcrEl0::Enable>() && (overflows & interrupt_enable) != 0;
}

/// The event that PMSWINC_EL0 counts, and where a counter's type has its event.
inline constexpr u64 kEventSoftwareIncrement = 0;
inline constexpr u64 kEventMask = 0xffff;

/// Whether a write of PMSWINC_EL0 at this level, 0 or 1, adds one to a counter of this type, that is on. Of the two filters of a level, one for each
/// security state, Non-secure counts when they agree.
[[nodiscard]] constexpr bool counts_software_increment(u64 type, unsigned level) {
    const unsigned filter = level == 0 ? 30 : 31;            // U or P
    const unsigned non_secure_filter = level == 0 ? 28 : 29; // NSU or NSK
    return (type & kEventMask) == kEventSoftwareIncrement && (type >> filter & 1) == (type >> non_secure_filter & 1);
}

/// One more on an event counter: the next value, and whether it has overflowed. They have 32 bits, or with FEAT_PMUv3p5 64, of which
/// PMCR_EL0.LP says whether the lower 32 or all of them overflow.
struct PmuStep {
    u64 value;
    bool overflowed;
    friend constexpr bool operator==(const PmuStep &, const PmuStep &) = default;
};
[[nodiscard]] constexpr PmuStep pmu_increment(u64 value, u64 control, bool is_64_bit) {
    constexpr u64 kLp = 0x80;
    const u64 low = u64{0xffff'ffff};
    if (!is_64_bit)
        return {(value + 1) & low, (value & low) == low};
    return {value + 1, (control & kLp) != 0 ? value + 1 == 0 : (value & low) == low};
}

} // namespace sel4vm::aarch64
