// SPDX-License-Identifier: BSD-2-Clause
//
// ESR_ELx: the exception classes that an EL2 can receive from EL1 and EL0, and the syndrome of each as a type
// (Arm ARM DDI 0487, "ESR_EL2, Exception Syndrome Register"). Facts only: what to do about an exception is the host's
// and the core's business. Classes that only EL3 receives are deliberately absent.
#pragma once

#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

/// ESR_ELx.EC.
enum class Ec : u8 {
    unknown = 0x00,
    wfx = 0x01,
    cp15_mcr = 0x03,
    cp15_mcrr = 0x04,
    cp14_mcr = 0x05,
    cp14_ldc = 0x06,
    fp_access = 0x07,
    cp10_mrc = 0x08, ///< VMRS of an AArch32 ID register
    pauth = 0x09,    ///< a pointer authentication instruction, trapped
    ls64 = 0x0a,     ///< LD64B, ST64B, ST64BV, ST64BV0
    cp14_mrrc = 0x0c,
    branch_target = 0x0d,
    illegal_state = 0x0e,
    svc32 = 0x11,
    hvc32 = 0x12,
    smc32 = 0x13,
    sysreg128 = 0x14, ///< MSRR, MRRS, SYSP
    svc64 = 0x15,
    hvc64 = 0x16,
    smc64 = 0x17,
    sysreg = 0x18, ///< MSR, MRS, SYS
    sve = 0x19,
    eret = 0x1a,
    tstart = 0x1b,
    pauth_failure = 0x1c,
    sme = 0x1d,
    instruction_abort_lower = 0x20,
    instruction_abort_same = 0x21,
    pc_alignment = 0x22,
    data_abort_lower = 0x24,
    data_abort_same = 0x25,
    sp_alignment = 0x26,
    memory_copy = 0x27, ///< CPY*, SET* (FEAT_MOPS)
    fp_exception32 = 0x28,
    fp_exception64 = 0x2c,
    guarded_control_stack = 0x2d,
    serror = 0x2f,
    breakpoint_lower = 0x30,
    breakpoint_same = 0x31,
    step_lower = 0x32,
    step_same = 0x33,
    watchpoint_lower = 0x34,
    watchpoint_same = 0x35,
    bkpt32 = 0x38,
    vector_catch32 = 0x3a,
    brk64 = 0x3c,
    profiling = 0x3d,
};

/// The class in the manual's words, "reserved" for a number without meaning at EL2.
[[nodiscard]] constexpr const char *to_string(Ec ec) {
    // One text, a name behind the other: pointers to them would be relocated in the target's image, and take more room than the names.
    // clang-format off
    constexpr const char *kNames =
        "unknown reason\0" "WFI or WFE\0" "\0" "CP15 MCR or MRC\0" // 0x00
        "CP15 MCRR or MRRC\0" "CP14 MCR or MRC\0" "CP14 LDC or STC\0" "SIMD or FP access\0" // 0x04
        "CP10 MRC\0" "pointer authentication\0" "LD64B or ST64B\0" "\0" // 0x08
        "CP14 MRRC\0" "branch target\0" "illegal execution state\0" "\0" // 0x0c
        "\0" "SVC (AArch32)\0" "HVC (AArch32)\0" "SMC (AArch32)\0" // 0x10
        "MSRR, MRRS or SYSP\0" "SVC\0" "HVC\0" "SMC\0" // 0x14
        "MSR, MRS or SYS\0" "SVE access\0" "ERET\0" "TSTART\0" // 0x18
        "pointer authentication failure\0" "SME access\0" "\0" "\0" // 0x1c
        "instruction abort, lower level\0" "instruction abort, same level\0" "PC alignment\0" "\0" // 0x20
        "data abort, lower level\0" "data abort, same level\0" "SP alignment\0" "memory copy or set\0" // 0x24
        "FP exception (AArch32)\0" "\0" "\0" "\0" // 0x28
        "FP exception\0" "guarded control stack\0" "\0" "SError\0" // 0x2c
        "breakpoint, lower level\0" "breakpoint, same level\0" "software step, lower level\0" "software step, same level\0" // 0x30
        "watchpoint, lower level\0" "watchpoint, same level\0" "\0" "\0" // 0x34
        "BKPT (AArch32)\0" "\0" "vector catch (AArch32)\0" "\0" // 0x38
        "BRK\0" "profiling\0" "\0" "\0"; // 0x3c
    // clang-format on
    const char *name = kNames;
    for (unsigned before = static_cast<unsigned>(ec) & 0x3f; before != 0; ++name) {
        if (*name == 0)
            --before;
    }
    return *name != 0 ? name : "reserved";
}

struct EsrEl2 : RegValue<EsrEl2, u64> {
    using RegValue::RegValue;
    using Iss2 = Field<55, 32, u32>;
    using Ec = Field<31, 26, aarch64::Ec>;
    using Il = Field<25>; ///< the instruction was 32 bits long
    using Iss = Field<24, 0, u32>;
    static_assert(disjoint<Iss2, Ec, Il, Iss>());

    [[nodiscard]] constexpr aarch64::Ec ec() const { return get<Ec>(); }
    [[nodiscard]] constexpr u32 iss() const { return get<Iss>(); }
    /// The syndrome as the type that belongs to ec(); the caller has looked at ec().
    template <class IssType>
    [[nodiscard]] constexpr IssType iss_as() const {
        return IssType{iss()};
    }
};

enum class WaitInstruction : u8 { wfi = 0, wfe = 1, wfit = 2, wfet = 3 };

struct IssWfx : RegValue<IssWfx, u32> {
    using RegValue::RegValue;
    using ConditionValid = Field<24>;
    using Condition = Field<23, 20, u8>;
    using Rn = Field<9, 5, u8>; ///< WFIT, WFET: the register with the deadline, when Rv
    using Rv = Field<2>;
    using Ti = Field<1, 0, WaitInstruction>;
    static_assert(disjoint<ConditionValid, Condition, Rn, Rv, Ti>());
};

/// HVC, SMC and SVC from AArch64; also BRK, whose comment is this immediate.
struct IssCall : RegValue<IssCall, u32> {
    using RegValue::RegValue;
    using Immediate = Field<15, 0, u16>;
};

/// SMC from AArch32.
struct IssSmc32 : RegValue<IssSmc32, u32> {
    using RegValue::RegValue;
    using ConditionValid = Field<24>;
    using Condition = Field<23, 20, u8>;
    using ConditionKnownPassed = Field<19>;
};

/// MSR, MRS and SYS. sysreg.hpp turns it into a register id.
struct IssSysreg : RegValue<IssSysreg, u32> {
    using RegValue::RegValue;
    using Op0 = Field<21, 20, u8>;
    using Op2 = Field<19, 17, u8>;
    using Op1 = Field<16, 14, u8>;
    using Crn = Field<13, 10, u8>;
    using Rt = Field<9, 5, u8>;
    using Crm = Field<4, 1, u8>;
    using Read = Field<0>; ///< MRS, SYSL
    static_assert(disjoint<Op0, Op2, Op1, Crn, Rt, Crm, Read>());
};

/// AArch32 MCR and MRC to coprocessor 14, 15 or 10.
struct IssMcr : RegValue<IssMcr, u32> {
    using RegValue::RegValue;
    using ConditionValid = Field<24>;
    using Condition = Field<23, 20, u8>;
    using Opc2 = Field<19, 17, u8>;
    using Opc1 = Field<16, 14, u8>;
    using Crn = Field<13, 10, u8>;
    using Rt = Field<9, 5, u8>;
    using Crm = Field<4, 1, u8>;
    using Read = Field<0>;
    static_assert(disjoint<ConditionValid, Condition, Opc2, Opc1, Crn, Rt, Crm, Read>());
};

/// AArch32 MCRR and MRRC.
struct IssMcrr : RegValue<IssMcrr, u32> {
    using RegValue::RegValue;
    using ConditionValid = Field<24>;
    using Condition = Field<23, 20, u8>;
    using Opc1 = Field<19, 16, u8>;
    using Rt2 = Field<14, 10, u8>;
    using Rt = Field<9, 5, u8>;
    using Crm = Field<4, 1, u8>;
    using Read = Field<0>;
    static_assert(disjoint<ConditionValid, Condition, Opc1, Rt2, Rt, Crm, Read>());
};

/// AArch32 LDC and STC to coprocessor 14.
struct IssLdc : RegValue<IssLdc, u32> {
    using RegValue::RegValue;
    using ConditionValid = Field<24>;
    using Condition = Field<23, 20, u8>;
    using Immediate = Field<19, 12, u8>;
    using Rn = Field<9, 5, u8>;
    using OffsetAdded = Field<4>;
    using AddressingMode = Field<3, 1, u8>;
    using Read = Field<0>;
    static_assert(disjoint<ConditionValid, Condition, Immediate, Rn, OffsetAdded, AddressingMode, Read>());
};

/// SIMD and FP access (EC 0x07); the SVE class carries nothing.
struct IssFpAccess : RegValue<IssFpAccess, u32> {
    using RegValue::RegValue;
    using ConditionValid = Field<24>;
    using Condition = Field<23, 20, u8>;
};

enum class SmeTrap : u8 { access = 0, streaming_illegal = 1, not_streaming = 2, za_off = 3, zt0 = 4 };

struct IssSme : RegValue<IssSme, u32> {
    using RegValue::RegValue;
    using Reason = Field<2, 0, SmeTrap>;
};

struct IssEret : RegValue<IssEret, u32> {
    using RegValue::RegValue;
    using Authenticated = Field<1>; ///< ERETAA or ERETAB
    using KeyB = Field<0>;
};

struct IssPauthFailure : RegValue<IssPauthFailure, u32> {
    using RegValue::RegValue;
    using DataKey = Field<1>;
    using KeyB = Field<0>;
};

struct IssBranchTarget : RegValue<IssBranchTarget, u32> {
    using RegValue::RegValue;
    using Btype = Field<1, 0, u8>;
};

enum class Ls64Instruction : u32 { st64bv = 0, st64bv0 = 1, ld64b_st64b = 2 };

struct IssLs64 : RegValue<IssLs64, u32> {
    using RegValue::RegValue;
    using Instruction = Field<24, 0, Ls64Instruction>;
};

/// DFSC and IFSC: six bits. Those of a level are named at level 0; fault_level() tells the level.
enum class FaultStatus : u8 {
    address_size = 0x00,
    translation = 0x04,
    access_flag = 0x08,
    permission = 0x0c,
    external = 0x10,
    tag_check = 0x11,
    external_on_walk = 0x14,
    parity = 0x18,
    parity_on_walk = 0x1c,
    alignment = 0x21,
    debug = 0x22,
    tlb_conflict = 0x30,
    unsupported_hardware_update = 0x31,
    lockdown = 0x34,
    unsupported_exclusive = 0x35, ///< exclusive or atomic access to memory that does not support it
};

/// Whether the low two bits are a level. The statuses come in fours, of one kind each where they have levels.
[[nodiscard]] constexpr bool has_fault_level(u8 status) {
    constexpr u64 kFoursWithLevels = 0b1010'1111;
    return (kFoursWithLevels >> status / 4 & 1) != 0;
}

/// The status without its level.
[[nodiscard]] constexpr FaultStatus fault_kind(u8 status) {
    // Level -1 (FEAT_LPA2) has numbers of its own.
    if (status == 0x29)
        return FaultStatus::address_size;
    if (status == 0x2b)
        return FaultStatus::translation;
    if (status == 0x13)
        return FaultStatus::external_on_walk;
    if (status == 0x1b)
        return FaultStatus::parity_on_walk;
    return static_cast<FaultStatus>(has_fault_level(status) ? status & ~3U : status);
}
/// The table level, -1 to 3, of a status that has one; 0 for others.
[[nodiscard]] constexpr int fault_level(u8 status) {
    if (status == 0x29 || status == 0x2b || status == 0x13 || status == 0x1b)
        return -1;
    return has_fault_level(status) ? status & 3 : 0;
}

/// Size of the access behind a data abort: 1 << value bytes.
enum class AccessSize : u8 { byte = 0, halfword = 1, word = 2, doubleword = 3 };

struct IssDataAbort : RegValue<IssDataAbort, u32> {
    using RegValue::RegValue;
    using Isv = Field<24>; ///< Sas, Sse, Srt, Sf and Ar are valid
    using Sas = Field<23, 22, AccessSize>;
    using Sse = Field<21>;         ///< sign-extend what was loaded
    using Srt = Field<20, 16, u8>; ///< the register; 31 is xzr
    using Sf = Field<15>;          ///< the register is 64 bits wide
    using Ar = Field<14>;          ///< acquire or release
    using Vncr = Field<13>;
    using Set = Field<12, 11, u8>; ///< synchronous error type; LST for LD64B and ST64B
    using Fnv = Field<10>;         ///< FAR is not valid
    using Ea = Field<9>;
    using Cm = Field<8>;    ///< cache maintenance or address translation instruction
    using S1ptw = Field<7>; ///< stage 2 fault of a stage 1 table walk
    using Wnr = Field<6>;
    using Dfsc = Field<5, 0, u8>;
    static_assert(disjoint<Isv, Sas, Sse, Srt, Sf, Ar, Vncr, Set, Fnv, Ea, Cm, S1ptw, Wnr, Dfsc>());
};

struct IssInstructionAbort : RegValue<IssInstructionAbort, u32> {
    using RegValue::RegValue;
    using Set = Field<12, 11, u8>;
    using Fnv = Field<10>;
    using Ea = Field<9>;
    using S1ptw = Field<7>;
    using Ifsc = Field<5, 0, u8>;
    static_assert(disjoint<Set, Fnv, Ea, S1ptw, Ifsc>());
};

enum class SErrorType : u8 { uncontainable = 0, unrecoverable = 1, restartable = 2, recoverable = 3, corrected = 6 };

struct IssSError : RegValue<IssSError, u32> {
    using RegValue::RegValue;
    using ImplementationDefined = Field<24>;
    using Iesb = Field<13>;
    using Type = Field<12, 10, SErrorType>;
    using Ea = Field<9>;
    using Dfsc = Field<5, 0, u8>;
    static_assert(disjoint<ImplementationDefined, Iesb, Type, Ea, Dfsc>());
};

struct IssFpException : RegValue<IssFpException, u32> {
    using RegValue::RegValue;
    using FlagsValid = Field<23>;
    using InputDenormal = Field<7>;
    using Inexact = Field<4>;
    using Underflow = Field<3>;
    using Overflow = Field<2>;
    using DivideByZero = Field<1>;
    using InvalidOperation = Field<0>;
};

struct IssBreakpoint : RegValue<IssBreakpoint, u32> {
    using RegValue::RegValue;
    using Ifsc = Field<5, 0, u8>;
};

struct IssStep : RegValue<IssStep, u32> {
    using RegValue::RegValue;
    using Isv = Field<24>; ///< Exclusive is valid
    using Exclusive = Field<6>;
    using Ifsc = Field<5, 0, u8>;
};

struct IssWatchpoint : RegValue<IssWatchpoint, u32> {
    using RegValue::RegValue;
    using Number = Field<23, 18, u8>;
    using NumberValid = Field<17>;
    using Vncr = Field<13>;
    using Fnv = Field<10>;
    using Cm = Field<8>;
    using Wnr = Field<6>;
    using Dfsc = Field<5, 0, u8>;
    static_assert(disjoint<Number, NumberValid, Vncr, Fnv, Cm, Wnr, Dfsc>());
};

/// CPY* and SET* (FEAT_MOPS).
struct IssMemoryCopy : RegValue<IssMemoryCopy, u32> {
    using RegValue::RegValue;
    using Set = Field<24>;
    using SetWithTags = Field<23>;
    using Options = Field<22, 19, u8>;
    using FromEpilogue = Field<18>;
    using WrongOption = Field<17>;
    using OptionA = Field<16>;
    using Rd = Field<14, 10, u8>;
    using Rs = Field<9, 5, u8>;
    using Rn = Field<4, 0, u8>;
    static_assert(disjoint<Set, SetWithTags, Options, FromEpilogue, WrongOption, OptionA, Rd, Rs, Rn>());
};

/// HPFAR_EL2: the faulting page of a stage 2 fault.
struct HpfarEl2 : RegValue<HpfarEl2, u64> {
    using RegValue::RegValue;
    using Fipa = Field<47, 4>;
    /// The guest-physical address, with the offset in its page taken from FAR_EL2. Page offset 0 where FAR is not valid.
    [[nodiscard]] constexpr Gpa gpa(u64 far) const { return Gpa{(get<Fipa>() << 12) | (far & (kPageBytes - 1))}; }
};

} // namespace sel4vm::aarch64
