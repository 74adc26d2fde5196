// SPDX-License-Identifier: BSD-2-Clause
//
// Names of AArch64 system registers and system instructions, packed into the 16-bit id that SystemRegisterExit::id
// carries: op0:op1:CRn:CRm:op2, most significant first, so that ids of one CRm are neighbours and a table of ranges
// works. Numbers only: layouts are in system_registers.hpp and id_register_layouts.hpp.
#pragma once

#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

/// Packs an encoding. Each argument must fit its field: op0 2 bits, op1 3, CRn 4, CRm 4, op2 3.
[[nodiscard]] constexpr u32 sysreg_id(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2) {
    return op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2;
}

/// The id in the syndrome of a trapped MSR, MRS or SYS (EC 0x18).
[[nodiscard]] constexpr u32 sysreg_id(IssSysreg iss) {
    const u32 raw = iss.raw();
    return (raw >> 6 & 0xc000) | (raw >> 3 & 0x3f80) | (raw << 2 & 0x78) | (raw >> 17 & 0x7);
}

/// The id in an MSR (register), MRS, SYS or SYSL instruction.
[[nodiscard]] constexpr u32 sysreg_id_of_instruction(u32 instruction) { return instruction >> 5 & 0xffff; }

[[nodiscard]] constexpr u8 sysreg_op0(u32 id) { return static_cast<u8>(id >> 14 & 3); }
[[nodiscard]] constexpr u8 sysreg_op1(u32 id) { return static_cast<u8>(id >> 11 & 7); }
[[nodiscard]] constexpr u8 sysreg_crn(u32 id) { return static_cast<u8>(id >> 7 & 15); }
[[nodiscard]] constexpr u8 sysreg_crm(u32 id) { return static_cast<u8>(id >> 3 & 15); }
[[nodiscard]] constexpr u8 sysreg_op2(u32 id) { return static_cast<u8>(id & 7); }

/// The CPU identification space op0 = 3, op1 = 0, CRn = 0, CRm = 1 to 7, which HCR_EL2.TID3 traps.
[[nodiscard]] constexpr bool is_id_group3(u32 id) {
    return id >= sysreg_id(3, 0, 0, 1, 0) && id <= sysreg_id(3, 0, 0, 7, 7);
}

namespace sysreg {

// Debug and trace, op0 = 2.
inline constexpr u32 kOsdtrrxEl1 = sysreg_id(2, 0, 0, 0, 2);
inline constexpr u32 kMdccintEl1 = sysreg_id(2, 0, 0, 2, 0);
inline constexpr u32 kMdscrEl1 = sysreg_id(2, 0, 0, 2, 2);
inline constexpr u32 kOsdtrtxEl1 = sysreg_id(2, 0, 0, 3, 2);
inline constexpr u32 kOseccrEl1 = sysreg_id(2, 0, 0, 6, 2);
[[nodiscard]] constexpr u32 dbgbvr_el1(u32 n) { return sysreg_id(2, 0, 0, n, 4); }
[[nodiscard]] constexpr u32 dbgbcr_el1(u32 n) { return sysreg_id(2, 0, 0, n, 5); }
[[nodiscard]] constexpr u32 dbgwvr_el1(u32 n) { return sysreg_id(2, 0, 0, n, 6); }
[[nodiscard]] constexpr u32 dbgwcr_el1(u32 n) { return sysreg_id(2, 0, 0, n, 7); }
inline constexpr u32 kMdrarEl1 = sysreg_id(2, 0, 1, 0, 0);
inline constexpr u32 kOslarEl1 = sysreg_id(2, 0, 1, 0, 4);
inline constexpr u32 kOslsrEl1 = sysreg_id(2, 0, 1, 1, 4);
inline constexpr u32 kOsdlrEl1 = sysreg_id(2, 0, 1, 3, 4);
inline constexpr u32 kDbgprcrEl1 = sysreg_id(2, 0, 1, 4, 4);
inline constexpr u32 kDbgclaimsetEl1 = sysreg_id(2, 0, 7, 8, 6);
inline constexpr u32 kDbgclaimclrEl1 = sysreg_id(2, 0, 7, 9, 6);
inline constexpr u32 kDbgauthstatusEl1 = sysreg_id(2, 0, 7, 14, 6);
inline constexpr u32 kMdccsrEl0 = sysreg_id(2, 3, 0, 1, 0);
inline constexpr u32 kDbgdtrEl0 = sysreg_id(2, 3, 0, 4, 0);
inline constexpr u32 kDbgdtrrxEl0 = sysreg_id(2, 3, 0, 5, 0); ///< DBGDTRTX_EL0 when written

// Identification.
inline constexpr u32 kMidrEl1 = sysreg_id(3, 0, 0, 0, 0);
inline constexpr u32 kMpidrEl1 = sysreg_id(3, 0, 0, 0, 5);
inline constexpr u32 kRevidrEl1 = sysreg_id(3, 0, 0, 0, 6);
inline constexpr u32 kIdPfr0El1 = sysreg_id(3, 0, 0, 1, 0);
inline constexpr u32 kIdPfr1El1 = sysreg_id(3, 0, 0, 1, 1);
inline constexpr u32 kIdDfr0El1 = sysreg_id(3, 0, 0, 1, 2);
inline constexpr u32 kIdAfr0El1 = sysreg_id(3, 0, 0, 1, 3);
inline constexpr u32 kIdMmfr0El1 = sysreg_id(3, 0, 0, 1, 4);
inline constexpr u32 kIdMmfr1El1 = sysreg_id(3, 0, 0, 1, 5);
inline constexpr u32 kIdMmfr2El1 = sysreg_id(3, 0, 0, 1, 6);
inline constexpr u32 kIdMmfr3El1 = sysreg_id(3, 0, 0, 1, 7);
inline constexpr u32 kIdIsar0El1 = sysreg_id(3, 0, 0, 2, 0);
inline constexpr u32 kIdIsar1El1 = sysreg_id(3, 0, 0, 2, 1);
inline constexpr u32 kIdIsar2El1 = sysreg_id(3, 0, 0, 2, 2);
inline constexpr u32 kIdIsar3El1 = sysreg_id(3, 0, 0, 2, 3);
inline constexpr u32 kIdIsar4El1 = sysreg_id(3, 0, 0, 2, 4);
inline constexpr u32 kIdIsar5El1 = sysreg_id(3, 0, 0, 2, 5);
inline constexpr u32 kIdMmfr4El1 = sysreg_id(3, 0, 0, 2, 6);
inline constexpr u32 kIdIsar6El1 = sysreg_id(3, 0, 0, 2, 7);
inline constexpr u32 kMvfr0El1 = sysreg_id(3, 0, 0, 3, 0);
inline constexpr u32 kMvfr1El1 = sysreg_id(3, 0, 0, 3, 1);
inline constexpr u32 kMvfr2El1 = sysreg_id(3, 0, 0, 3, 2);
inline constexpr u32 kIdPfr2El1 = sysreg_id(3, 0, 0, 3, 4);
inline constexpr u32 kIdDfr1El1 = sysreg_id(3, 0, 0, 3, 5);
inline constexpr u32 kIdMmfr5El1 = sysreg_id(3, 0, 0, 3, 6);
inline constexpr u32 kIdAa64pfr0El1 = sysreg_id(3, 0, 0, 4, 0);
inline constexpr u32 kIdAa64pfr1El1 = sysreg_id(3, 0, 0, 4, 1);
inline constexpr u32 kIdAa64pfr2El1 = sysreg_id(3, 0, 0, 4, 2);
inline constexpr u32 kIdAa64zfr0El1 = sysreg_id(3, 0, 0, 4, 4);
inline constexpr u32 kIdAa64smfr0El1 = sysreg_id(3, 0, 0, 4, 5);
inline constexpr u32 kIdAa64fpfr0El1 = sysreg_id(3, 0, 0, 4, 7);
inline constexpr u32 kIdAa64dfr0El1 = sysreg_id(3, 0, 0, 5, 0);
inline constexpr u32 kIdAa64dfr1El1 = sysreg_id(3, 0, 0, 5, 1);
inline constexpr u32 kIdAa64dfr2El1 = sysreg_id(3, 0, 0, 5, 2);
inline constexpr u32 kIdAa64afr0El1 = sysreg_id(3, 0, 0, 5, 4);
inline constexpr u32 kIdAa64afr1El1 = sysreg_id(3, 0, 0, 5, 5);
inline constexpr u32 kIdAa64isar0El1 = sysreg_id(3, 0, 0, 6, 0);
inline constexpr u32 kIdAa64isar1El1 = sysreg_id(3, 0, 0, 6, 1);
inline constexpr u32 kIdAa64isar2El1 = sysreg_id(3, 0, 0, 6, 2);
inline constexpr u32 kIdAa64isar3El1 = sysreg_id(3, 0, 0, 6, 3);
inline constexpr u32 kIdAa64mmfr0El1 = sysreg_id(3, 0, 0, 7, 0);
inline constexpr u32 kIdAa64mmfr1El1 = sysreg_id(3, 0, 0, 7, 1);
inline constexpr u32 kIdAa64mmfr2El1 = sysreg_id(3, 0, 0, 7, 2);
inline constexpr u32 kIdAa64mmfr3El1 = sysreg_id(3, 0, 0, 7, 3);
inline constexpr u32 kIdAa64mmfr4El1 = sysreg_id(3, 0, 0, 7, 4);
inline constexpr u32 kCcsidrEl1 = sysreg_id(3, 1, 0, 0, 0);
inline constexpr u32 kClidrEl1 = sysreg_id(3, 1, 0, 0, 1);
inline constexpr u32 kCcsidr2El1 = sysreg_id(3, 1, 0, 0, 2);
inline constexpr u32 kGmidEl1 = sysreg_id(3, 1, 0, 0, 4);
inline constexpr u32 kSmidrEl1 = sysreg_id(3, 1, 0, 0, 6);
inline constexpr u32 kAidrEl1 = sysreg_id(3, 1, 0, 0, 7);
inline constexpr u32 kCsselrEl1 = sysreg_id(3, 2, 0, 0, 0);
inline constexpr u32 kCtrEl0 = sysreg_id(3, 3, 0, 0, 1);
inline constexpr u32 kDczidEl0 = sysreg_id(3, 3, 0, 0, 7);

// EL1 state.
inline constexpr u32 kSctlrEl1 = sysreg_id(3, 0, 1, 0, 0);
inline constexpr u32 kActlrEl1 = sysreg_id(3, 0, 1, 0, 1);
inline constexpr u32 kCpacrEl1 = sysreg_id(3, 0, 1, 0, 2);
inline constexpr u32 kRgsrEl1 = sysreg_id(3, 0, 1, 0, 5);
inline constexpr u32 kGcrEl1 = sysreg_id(3, 0, 1, 0, 6);
inline constexpr u32 kZcrEl1 = sysreg_id(3, 0, 1, 2, 0);
inline constexpr u32 kTrfcrEl1 = sysreg_id(3, 0, 1, 2, 1);
inline constexpr u32 kSmcrEl1 = sysreg_id(3, 0, 1, 2, 6);
inline constexpr u32 kTtbr0El1 = sysreg_id(3, 0, 2, 0, 0);
inline constexpr u32 kTtbr1El1 = sysreg_id(3, 0, 2, 0, 1);
inline constexpr u32 kTcrEl1 = sysreg_id(3, 0, 2, 0, 2);
inline constexpr u32 kApiakeyloEl1 = sysreg_id(3, 0, 2, 1, 0);
inline constexpr u32 kApgakeyhiEl1 = sysreg_id(3, 0, 2, 3, 1);
inline constexpr u32 kSpsrEl1 = sysreg_id(3, 0, 4, 0, 0);
inline constexpr u32 kElrEl1 = sysreg_id(3, 0, 4, 0, 1);
inline constexpr u32 kSpEl0 = sysreg_id(3, 0, 4, 1, 0);
inline constexpr u32 kSpEl1 = sysreg_id(3, 4, 4, 1, 0);
inline constexpr u32 kAfsr0El1 = sysreg_id(3, 0, 5, 1, 0);
inline constexpr u32 kAfsr1El1 = sysreg_id(3, 0, 5, 1, 1);
inline constexpr u32 kEsrEl1 = sysreg_id(3, 0, 5, 2, 0);
inline constexpr u32 kErridrEl1 = sysreg_id(3, 0, 5, 3, 0);
inline constexpr u32 kErrselrEl1 = sysreg_id(3, 0, 5, 3, 1);
inline constexpr u32 kErxfrEl1 = sysreg_id(3, 0, 5, 4, 0);
inline constexpr u32 kErxctlrEl1 = sysreg_id(3, 0, 5, 4, 1);
inline constexpr u32 kErxstatusEl1 = sysreg_id(3, 0, 5, 4, 2);
inline constexpr u32 kErxaddrEl1 = sysreg_id(3, 0, 5, 4, 3);
inline constexpr u32 kErxmisc0El1 = sysreg_id(3, 0, 5, 5, 0);
inline constexpr u32 kErxmisc3El1 = sysreg_id(3, 0, 5, 5, 3);
inline constexpr u32 kTfsrEl1 = sysreg_id(3, 0, 5, 6, 0);
inline constexpr u32 kFarEl1 = sysreg_id(3, 0, 6, 0, 0);
inline constexpr u32 kParEl1 = sysreg_id(3, 0, 7, 4, 0);
inline constexpr u32 kMairEl1 = sysreg_id(3, 0, 10, 2, 0);
inline constexpr u32 kAmairEl1 = sysreg_id(3, 0, 10, 3, 0);
inline constexpr u32 kLorsaEl1 = sysreg_id(3, 0, 10, 4, 0);
inline constexpr u32 kLoreaEl1 = sysreg_id(3, 0, 10, 4, 1);
inline constexpr u32 kLornEl1 = sysreg_id(3, 0, 10, 4, 2);
inline constexpr u32 kLorcEl1 = sysreg_id(3, 0, 10, 4, 3);
inline constexpr u32 kMpamidrEl1 = sysreg_id(3, 0, 10, 4, 4);
inline constexpr u32 kLoridEl1 = sysreg_id(3, 0, 10, 4, 7);
inline constexpr u32 kMpam1El1 = sysreg_id(3, 0, 10, 5, 0);
inline constexpr u32 kMpam0El1 = sysreg_id(3, 0, 10, 5, 1);
inline constexpr u32 kVbarEl1 = sysreg_id(3, 0, 12, 0, 0);
inline constexpr u32 kIsrEl1 = sysreg_id(3, 0, 12, 1, 0);
inline constexpr u32 kDisrEl1 = sysreg_id(3, 0, 12, 1, 1);
inline constexpr u32 kContextidrEl1 = sysreg_id(3, 0, 13, 0, 1);
inline constexpr u32 kTpidrEl1 = sysreg_id(3, 0, 13, 0, 4);
inline constexpr u32 kScxtnumEl1 = sysreg_id(3, 0, 13, 0, 7);
inline constexpr u32 kCntkctlEl1 = sysreg_id(3, 0, 14, 1, 0);

// EL0 state.
inline constexpr u32 kNzcv = sysreg_id(3, 3, 4, 2, 0);
inline constexpr u32 kDaif = sysreg_id(3, 3, 4, 2, 1);
inline constexpr u32 kFpcr = sysreg_id(3, 3, 4, 4, 0);
inline constexpr u32 kFpsr = sysreg_id(3, 3, 4, 4, 1);
inline constexpr u32 kTpidrEl0 = sysreg_id(3, 3, 13, 0, 2);
inline constexpr u32 kTpidrroEl0 = sysreg_id(3, 3, 13, 0, 3);
inline constexpr u32 kTpidr2El0 = sysreg_id(3, 3, 13, 0, 5);
inline constexpr u32 kScxtnumEl0 = sysreg_id(3, 3, 13, 0, 7);
inline constexpr u32 kRndr = sysreg_id(3, 3, 2, 4, 0);
inline constexpr u32 kRndrrs = sysreg_id(3, 3, 2, 4, 1);

// Generic timer.
inline constexpr u32 kCntfrqEl0 = sysreg_id(3, 3, 14, 0, 0);
inline constexpr u32 kCntpctEl0 = sysreg_id(3, 3, 14, 0, 1);
inline constexpr u32 kCntvctEl0 = sysreg_id(3, 3, 14, 0, 2);
inline constexpr u32 kCntpctssEl0 = sysreg_id(3, 3, 14, 0, 5);
inline constexpr u32 kCntvctssEl0 = sysreg_id(3, 3, 14, 0, 6);
inline constexpr u32 kCntpTvalEl0 = sysreg_id(3, 3, 14, 2, 0);
inline constexpr u32 kCntpCtlEl0 = sysreg_id(3, 3, 14, 2, 1);
inline constexpr u32 kCntpCvalEl0 = sysreg_id(3, 3, 14, 2, 2);
inline constexpr u32 kCntvTvalEl0 = sysreg_id(3, 3, 14, 3, 0);
inline constexpr u32 kCntvCtlEl0 = sysreg_id(3, 3, 14, 3, 1);
inline constexpr u32 kCntvCvalEl0 = sysreg_id(3, 3, 14, 3, 2);

// What a port knows of its vCPU's last exit, under the names that EL2 has for it.
inline constexpr u32 kSpsrEl2 = sysreg_id(3, 4, 4, 0, 0); ///< the PSTATE that the vCPU goes on with
inline constexpr u32 kEsrEl2 = sysreg_id(3, 4, 5, 2, 0);  ///< the syndrome
inline constexpr u32 kFarEl2 = sysreg_id(3, 4, 6, 0, 0);  ///< the faulting virtual address

// Performance monitors.
inline constexpr u32 kPmintensetEl1 = sysreg_id(3, 0, 9, 14, 1);
inline constexpr u32 kPmintenclrEl1 = sysreg_id(3, 0, 9, 14, 2);
inline constexpr u32 kPmmirEl1 = sysreg_id(3, 0, 9, 14, 6);
inline constexpr u32 kPmcrEl0 = sysreg_id(3, 3, 9, 12, 0);
inline constexpr u32 kPmcntensetEl0 = sysreg_id(3, 3, 9, 12, 1);
inline constexpr u32 kPmcntenclrEl0 = sysreg_id(3, 3, 9, 12, 2);
inline constexpr u32 kPmovsclrEl0 = sysreg_id(3, 3, 9, 12, 3);
inline constexpr u32 kPmswincEl0 = sysreg_id(3, 3, 9, 12, 4);
inline constexpr u32 kPmselrEl0 = sysreg_id(3, 3, 9, 12, 5);
inline constexpr u32 kPmceid0El0 = sysreg_id(3, 3, 9, 12, 6);
inline constexpr u32 kPmceid1El0 = sysreg_id(3, 3, 9, 12, 7);
inline constexpr u32 kPmccntrEl0 = sysreg_id(3, 3, 9, 13, 0);
inline constexpr u32 kPmxevtyperEl0 = sysreg_id(3, 3, 9, 13, 1);
inline constexpr u32 kPmxevcntrEl0 = sysreg_id(3, 3, 9, 13, 2);
inline constexpr u32 kPmuserenrEl0 = sysreg_id(3, 3, 9, 14, 0);
inline constexpr u32 kPmovssetEl0 = sysreg_id(3, 3, 9, 14, 3);
/// Event counter n, 0 to 30.
[[nodiscard]] constexpr u32 pmevcntr_el0(u32 n) { return sysreg_id(3, 3, 14, 8 + n / 8, n % 8); }
[[nodiscard]] constexpr u32 pmevtyper_el0(u32 n) { return sysreg_id(3, 3, 14, 12 + n / 8, n % 8); }
inline constexpr u32 kPmccfiltrEl0 = sysreg_id(3, 3, 14, 15, 7);

// GIC CPU interface.
inline constexpr u32 kIccPmrEl1 = sysreg_id(3, 0, 4, 6, 0);
inline constexpr u32 kIccIar0El1 = sysreg_id(3, 0, 12, 8, 0);
inline constexpr u32 kIccEoir0El1 = sysreg_id(3, 0, 12, 8, 1);
inline constexpr u32 kIccHppir0El1 = sysreg_id(3, 0, 12, 8, 2);
inline constexpr u32 kIccBpr0El1 = sysreg_id(3, 0, 12, 8, 3);
/// Active priorities of group 0 and group 1, n = 0 to 3.
[[nodiscard]] constexpr u32 icc_ap0r_el1(u32 n) { return sysreg_id(3, 0, 12, 8, 4 + n); }
[[nodiscard]] constexpr u32 icc_ap1r_el1(u32 n) { return sysreg_id(3, 0, 12, 9, n); }
inline constexpr u32 kIccDirEl1 = sysreg_id(3, 0, 12, 11, 1);
inline constexpr u32 kIccRprEl1 = sysreg_id(3, 0, 12, 11, 3);
inline constexpr u32 kIccSgi1rEl1 = sysreg_id(3, 0, 12, 11, 5);
inline constexpr u32 kIccAsgi1rEl1 = sysreg_id(3, 0, 12, 11, 6);
inline constexpr u32 kIccSgi0rEl1 = sysreg_id(3, 0, 12, 11, 7);
inline constexpr u32 kIccIar1El1 = sysreg_id(3, 0, 12, 12, 0);
inline constexpr u32 kIccEoir1El1 = sysreg_id(3, 0, 12, 12, 1);
inline constexpr u32 kIccHppir1El1 = sysreg_id(3, 0, 12, 12, 2);
inline constexpr u32 kIccBpr1El1 = sysreg_id(3, 0, 12, 12, 3);
inline constexpr u32 kIccCtlrEl1 = sysreg_id(3, 0, 12, 12, 4);
inline constexpr u32 kIccSreEl1 = sysreg_id(3, 0, 12, 12, 5);
inline constexpr u32 kIccIgrpen0El1 = sysreg_id(3, 0, 12, 12, 6);
inline constexpr u32 kIccIgrpen1El1 = sysreg_id(3, 0, 12, 12, 7);

// System instructions, op0 = 1.
inline constexpr u32 kIcIalluis = sysreg_id(1, 0, 7, 1, 0);
inline constexpr u32 kIcIallu = sysreg_id(1, 0, 7, 5, 0);
inline constexpr u32 kDcIvac = sysreg_id(1, 0, 7, 6, 1);
inline constexpr u32 kDcIsw = sysreg_id(1, 0, 7, 6, 2);
inline constexpr u32 kDcCsw = sysreg_id(1, 0, 7, 10, 2);
inline constexpr u32 kDcCisw = sysreg_id(1, 0, 7, 14, 2);
inline constexpr u32 kDcZva = sysreg_id(1, 3, 7, 4, 1);
inline constexpr u32 kIcIvau = sysreg_id(1, 3, 7, 5, 1);
inline constexpr u32 kDcCvac = sysreg_id(1, 3, 7, 10, 1);
inline constexpr u32 kDcCvau = sysreg_id(1, 3, 7, 11, 1);
inline constexpr u32 kDcCvap = sysreg_id(1, 3, 7, 12, 1);
inline constexpr u32 kDcCvadp = sysreg_id(1, 3, 7, 13, 1);
inline constexpr u32 kDcCivac = sysreg_id(1, 3, 7, 14, 1);

} // namespace sysreg

static_assert(sysreg_id_of_instruction(0xd5384241) == sysreg_id(3, 0, 4, 2, 2), "mrs x1, CurrentEL");
static_assert(sysreg_id(IssSysreg{0x32'1234}) ==
              sysreg_id(IssSysreg{0x32'1234}.get<IssSysreg::Op0>(), IssSysreg{0x32'1234}.get<IssSysreg::Op1>(),
                        IssSysreg{0x32'1234}.get<IssSysreg::Crn>(), IssSysreg{0x32'1234}.get<IssSysreg::Crm>(),
                        IssSysreg{0x32'1234}.get<IssSysreg::Op2>()));

} // namespace sel4vm::aarch64
