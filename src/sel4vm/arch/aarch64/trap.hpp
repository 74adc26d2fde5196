// SPDX-License-Identifier: BSD-2-Clause
//
// What a synchronous exit from a guest is, by its syndrome alone: the exit that the core hears of, or what its host does by itself. For hosts that
// see syndromes (el2, seL4); how registers are read and exits delivered is theirs.
#pragma once

#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/arch/aarch64/next_instruction.hpp>

namespace sel4vm::aarch64 {

enum class Trap : u8 {
    data_abort,        ///< abort_of(IssDataAbort)
    instruction_abort, ///< abort_of(IssInstructionAbort)
    system_register,   ///< SystemRegisterExit
    coprocessor,       ///< coprocessor_access(): the same from AArch32, or `undefined`
    hvc,               ///< HypercallExit
    smc,
    wait,      ///< WFI, WFE, WFIT, WFET
    fp,        ///< SIMD or FP registers, where a host switches them late
    debug,     ///< ExitKind::debug
    undefined, ///< ExitKind::undefined: trapped, and emulated by nobody
    skip,      ///< an AArch32 instruction whose condition does not hold: go on behind it
    unknown,   ///< UnknownExit
};

/// The class alone: never `skip`.
[[nodiscard]] constexpr Trap trap_of(Ec ec) {
    switch (ec) {
    case Ec::data_abort_lower: return Trap::data_abort;
    case Ec::instruction_abort_lower: return Trap::instruction_abort;
    case Ec::sysreg: return Trap::system_register;
    case Ec::cp15_mcr:
    case Ec::cp15_mcrr: return Trap::coprocessor;
    case Ec::hvc64: return Trap::hvc;
    case Ec::smc64: return Trap::smc;
    case Ec::wfx: return Trap::wait;
    case Ec::fp_access: return Trap::fp;
    case Ec::breakpoint_lower:
    case Ec::step_lower:
    case Ec::watchpoint_lower:
    case Ec::bkpt32:
    case Ec::vector_catch32:
    case Ec::brk64: return Trap::debug;
    case Ec::unknown:
    case Ec::cp14_mcr:
    case Ec::cp14_ldc:
    case Ec::cp10_mrc:
    case Ec::pauth:
    case Ec::ls64:
    case Ec::cp14_mrrc:
    case Ec::hvc32:
    case Ec::smc32:
    case Ec::sysreg128:
    case Ec::sve:
    case Ec::eret:
    case Ec::sme:
    case Ec::memory_copy: return Trap::undefined;
    default: return Trap::unknown;
    }
}

/// Whether it depends on the guest's PSTATE what it is: AArch32 instructions have conditions.
[[nodiscard]] constexpr bool may_be_skipped(EsrEl2 esr) {
    const Trap trap = trap_of(esr.ec());
    return trap == Trap::undefined || trap == Trap::coprocessor || trap == Trap::wait;
}
/// `pstate`: of the guest at the exit; only looked at when it may be skipped.
[[nodiscard]] constexpr Trap trap_of(EsrEl2 esr, u64 pstate) {
    return may_be_skipped(esr) && is_skipped(esr, pstate) ? Trap::skip : trap_of(esr.ec());
}

enum class Abort : u8 {
    access,            ///< second-stage translation did not allow it, and the syndrome says what it was
    opaque,            ///< the same without that
    cache_maintenance, ///< an instruction on a line that no cache can hold: go on behind it
    walk,              ///< a walk of the guest's own tables, which second-stage translation did not allow
    tlb_conflict,      ///< the guest changed tables without the invalidation that is due
    external,          ///< raise GuestException::external_abort
    unsupported,       ///< raise GuestException::unsupported_access
};

/// Second-stage translation did not allow it, in one of the ways that software can do something about.
[[nodiscard]] constexpr bool is_translation_fault(FaultStatus kind) {
    return kind == FaultStatus::translation || kind == FaultStatus::access_flag || kind == FaultStatus::address_size ||
           kind == FaultStatus::permission;
}
/// Whether HPFAR_EL2 has the address; for a permission fault only when it is one of a table walk.
[[nodiscard]] constexpr bool reports_address(FaultStatus kind) {
    return is_translation_fault(kind) && kind != FaultStatus::permission;
}

/// Of an access itself; a walk for it is Abort::walk instead of Abort::access.
[[nodiscard]] constexpr Abort abort_of(FaultStatus kind) {
    if (is_translation_fault(kind))
        return Abort::access;
    if (kind == FaultStatus::tlb_conflict)
        return Abort::tlb_conflict;
    return kind == FaultStatus::unsupported_exclusive ? Abort::unsupported : Abort::external;
}

[[nodiscard]] constexpr Abort abort_of(IssDataAbort iss) {
    const Abort abort = abort_of(fault_kind(iss.get<IssDataAbort::Dfsc>()));
    if (abort != Abort::access)
        return abort;
    if (iss.get<IssDataAbort::S1ptw>())
        return Abort::walk;
    if (iss.get<IssDataAbort::Cm>())
        return Abort::cache_maintenance;
    return iss.get<IssDataAbort::Isv>() ? Abort::access : Abort::opaque;
}

/// Never cache_maintenance or opaque; a fetch has no unsupported_exclusive.
[[nodiscard]] constexpr Abort abort_of(IssInstructionAbort iss) {
    const Abort abort = abort_of(fault_kind(iss.get<IssInstructionAbort::Ifsc>()));
    if (abort == Abort::access && iss.get<IssInstructionAbort::S1ptw>())
        return Abort::walk;
    return abort == Abort::unsupported ? Abort::external : abort;
}

} // namespace sel4vm::aarch64
