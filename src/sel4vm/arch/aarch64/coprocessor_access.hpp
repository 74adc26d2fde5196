// SPDX-License-Identifier: BSD-2-Clause
//
// AArch32 accesses of system registers at EL0 (MRC, MCR, MRRC, MCRR of coprocessor 15) whose traps have a meaning here, under the AArch64 names
// of the registers: the physical counter and timer, which CNTKCTL_EL1 gives to EL0 in both states, and the performance monitors, which
// PMUSERENR_EL0 does. Pure functions (Arm ARM DDI 0487, "AArch32 System register encodings" and ESR_EL2, EC 0x03 and 0x04). All other such traps are of registers that these guests do not have.
#pragma once

#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/arch/aarch64/pmu_registers.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

struct CoprocessorAccess {
    u16 id = 0; ///< sysreg_id()
    bool read = false;
    bool pair = false; ///< 64 bits in two registers
    u8 rt = 0;         ///< with pair: of the lower half
    u8 rt2 = 0;        ///< with pair: of the upper half
    /// Without pair: the upper half of the register is what it reads (PMCEID2 and PMCEID3).
    bool upper = false;
    [[nodiscard]] constexpr bool exists() const { return id != 0; }
    friend constexpr bool operator==(const CoprocessorAccess &, const CoprocessorAccess &) = default;
};

/// The access behind a syndrome of class cp15_mcr or cp15_mcrr; exists() is false when it has no meaning here. PC as an operand is
/// UNPREDICTABLE, and has none.
[[nodiscard]] constexpr CoprocessorAccess coprocessor_access(EsrEl2 esr) {
    constexpr u8 kTimerCrn = 14;
    constexpr u8 kMonitorsCrn = 9;
    constexpr u8 kPc = 15;
    CoprocessorAccess access;
    if (esr.ec() == Ec::cp15_mcrr) {
        const auto iss = esr.iss_as<IssMcrr>();
        access = {0, iss.get<IssMcrr::Read>(), true, iss.get<IssMcrr::Rt>(), iss.get<IssMcrr::Rt2>()};
        if (access.rt >= kPc || access.rt2 >= kPc)
            return {};
        if (iss.get<IssMcrr::Crm>() == kMonitorsCrn && iss.get<IssMcrr::Opc1>() == 0) {
            access.id = static_cast<u16>(sysreg::kPmccntrEl0);
            return access;
        }
        if (iss.get<IssMcrr::Crm>() != kTimerCrn)
            return {};
        switch (iss.get<IssMcrr::Opc1>()) {
        case 0: access.id = static_cast<u16>(sysreg::kCntpctEl0); break;
        case 2: access.id = static_cast<u16>(sysreg::kCntpCvalEl0); break;
        case 8: access.id = static_cast<u16>(sysreg::kCntpctssEl0); break;
        default: return {};
        }
        return access;
    }
    const auto iss = esr.iss_as<IssMcr>();
    access = {0, iss.get<IssMcr::Read>(), false, iss.get<IssMcr::Rt>(), 0};
    if (esr.ec() != Ec::cp15_mcr || iss.get<IssMcr::Opc1>() != 0 || access.rt >= kPc)
        return {};
    const u8 crn = iss.get<IssMcr::Crn>();
    const u8 crm = iss.get<IssMcr::Crm>();
    const u8 opc2 = iss.get<IssMcr::Opc2>();
    // CNTP_TVAL and CNTP_CTL.
    if (crn == kTimerCrn && crm == 2 && opc2 <= 1) {
        access.id = static_cast<u16>(sysreg::kCntpTvalEl0 + opc2);
        return access;
    }
    if (crn == kMonitorsCrn && crm == 14 && (opc2 == 4 || opc2 == 5) && access.read) {
        access.id = static_cast<u16>(sysreg::kPmceid0El0 + opc2 - 4);
        access.upper = true;
        return access;
    }
    // Those of the performance monitors that EL0 can have are numbered alike in both states.
    const u32 id = sysreg_id(3, 3, crn, crm, opc2);
    if (pmu_register(id).which == PmuRegister::none)
        return {};
    access.id = static_cast<u16>(id);
    return access;
}

/// What a write of it writes, of a CPU whose register n is x(n).
template <class Registers>
[[nodiscard]] constexpr u64 written_value(const CoprocessorAccess &access, Registers &&x) {
    const u64 low = x(access.rt) & 0xffff'ffff;
    return access.pair ? low | x(access.rt2) << 32 : low;
}
/// Gives the result of a read of it to a CPU: set(n, value) for each register.
template <class Set>
constexpr void set_read_value(const CoprocessorAccess &access, u64 value, Set &&set) {
    set(access.rt, (access.upper ? value >> 32 : value) & 0xffff'ffff);
    if (access.pair)
        set(access.rt2, value >> 32);
}

} // namespace sel4vm::aarch64
