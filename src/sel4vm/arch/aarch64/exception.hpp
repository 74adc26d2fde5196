// SPDX-License-Identifier: BSD-2-Clause
//
// Exception entry into EL1 as data (Arm ARM DDI 0487, AArch64.TakeException): what a host writes into a vCPU when it
// raises a synchronous exception in its guest. Pure functions; no register is touched here. Asynchronous exceptions are
// the hardware's (HCR_EL2.VSE, the virtual GIC), and an AArch32 EL1 is not supported.
#pragma once

#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/base/types.hpp>
#include <sel4vm/host/exit.hpp>

namespace sel4vm::aarch64 {

/// The guest's state that entry depends on.
struct ExceptionContext {
    u64 pstate = 0; ///< as an SPSR: what SPSR_EL2 held at the exit
    u64 pc = 0;     ///< address of the instruction: ELR_EL2
    u64 vbar_el1 = 0;
    u64 sctlr_el1 = 0;
    u64 far_el1 = 0; ///< kept when the exception gives FAR_EL1 no value
};

/// PSTATE bits that exist only with an extension; entry must not set them on a CPU without it.
struct PstateFeatures {
    bool pan = false;
    bool uao = false;
    bool dit = false;
    bool ssbs = false;
    bool mte = false;
    bool nmi = false;
};

/// What to raise: a syndrome for EL1, and FAR_EL1 where the exception has one.
struct EntrySyndrome {
    Ec ec = Ec::unknown;
    u32 iss = 0;
    u32 iss2 = 0;
    bool long_instruction = true; ///< IL
    bool sets_far = false;
    u64 far = 0;
};

/// What the guest's registers become.
struct ExceptionEntry {
    u64 pc = 0;
    u64 pstate = 0;
    u64 elr_el1 = 0;
    u64 spsr_el1 = 0;
    u64 esr_el1 = 0;
    u64 far_el1 = 0;
    friend constexpr bool operator==(const ExceptionEntry &, const ExceptionEntry &) = default;
};

/// The exceptions that a host raises in its guest.
enum class GuestException : u8 {
    external_abort,     ///< synchronous external data or instruction abort, same syndrome class as the access
    undefined,          ///< EC 0 at the current instruction
    alignment,          ///< alignment fault
    unsupported_access, ///< DFSC 0x35, exclusive or atomic access not supported there
};
/// What the core's word for it means here.
[[nodiscard]] constexpr GuestException exception_of(GuestFault fault) {
    return fault == GuestFault::access ? GuestException::external_abort : GuestException::undefined;
}

/// The syndrome of an exception, derived from the exit that caused it. `esr_el2` and `far_el2` are those of the exit;
/// `pstate` tells which level the exception comes from. A fault answer to an exit that was no abort (a system register,
/// say) gives `undefined` its own class and turns abort faults into a data abort without a valid FAR. `walk_level` is the level of the
/// stage 1 table whose entry could not be accessed, when the exit is one of a table walk: it is not in the syndrome.
[[nodiscard]] EntrySyndrome fault_syndrome(GuestException fault, EsrEl2 esr_el2, u64 far_el2, u64 pstate,
                                           unsigned walk_level = 0);

/// An exception that the guest's own EL1 handles as it would have without a hypervisor: same class and ISS, as seen from
/// EL1.
[[nodiscard]] EntrySyndrome reflected_syndrome(EsrEl2 esr_el2, u64 far_el2, u64 pstate);

/// Registers after taking a synchronous exception to EL1. pstate.M must be EL0 or EL1 (AArch32: EL0).
[[nodiscard]] ExceptionEntry enter_el1(const ExceptionContext &context, const PstateFeatures &features,
                                       const EntrySyndrome &syndrome);

} // namespace sel4vm::aarch64
