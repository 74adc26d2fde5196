// SPDX-License-Identifier: BSD-2-Clause
//
// Going on after a trapped instruction: where PC and PSTATE are when a host has performed it, and whether an AArch32
// instruction performs anything at all. Pure functions (Arm ARM DDI 0487, ConditionHolds() and AArch32.ITAdvance()).
#pragma once

#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

/// What moves when an instruction is done.
struct Position {
    u64 pc = 0;
    u64 pstate = 0; ///< as an SPSR
    friend constexpr bool operator==(const Position &, const Position &) = default;
};

/// PSTATE bits with which going on takes more than adding 4: a branch target state, a single step, AArch32.
inline constexpr u64 kCarefulAdvance = Spsr::Btype::mask | Spsr::Ss::mask | Spsr::AArch32::mask;

[[nodiscard]] constexpr bool is_aarch32(u64 pstate) { return (pstate & Spsr::AArch32::mask) != 0; }

/// AArch32 code whose data is big-endian, whatever SCTLR_EL1 says.
[[nodiscard]] constexpr bool is_big_endian_aarch32(u64 pstate) {
    constexpr u64 kE = 1 << 9; // D in AArch64
    return (pstate & (kE | Spsr::AArch32::mask)) == (kE | Spsr::AArch32::mask);
}

/// After the instruction at `at`; `esr` is the syndrome of its trap.
[[nodiscard]] constexpr Position after_instruction(Position at, EsrEl2 esr) {
    // A step exception that is due comes before the next instruction.
    u64 pstate = at.pstate & ~u64{Spsr::Ss::mask};
    if (!is_aarch32(pstate))
        return {at.pc + 4, pstate & ~u64{Spsr::Btype::mask}};
    // ITSTATE: bits 26:25 are IT<1:0>, bits 15:10 IT<7:2>. The low five bits shift, until the last instruction of the
    // block.
    u64 it = (pstate >> 25 & 3) | (pstate >> 8 & 0xfc);
    it = (it & 7) == 0 ? 0 : (it & 0xe0) | (it << 1 & 0x1f);
    pstate = (pstate & ~u64{0x0600'fc00}) | (it & 3) << 25 | (it & 0xfc) << 8;
    return {(at.pc + (esr.get<EsrEl2::Il>() ? 4u : 2u)) & 0xffff'ffff, pstate};
}

/// Whether an AArch32 instruction with this condition executes.
[[nodiscard]] constexpr bool condition_holds(unsigned condition, u64 pstate) {
    const Spsr flags{pstate};
    const bool n = flags.get<Spsr::N>();
    const bool z = flags.get<Spsr::Z>();
    const bool c = flags.get<Spsr::C>();
    const bool v = flags.get<Spsr::V>();
    bool holds = true;
    switch (condition >> 1) {
    case 0: holds = z; break;
    case 1: holds = c; break;
    case 2: holds = n; break;
    case 3: holds = v; break;
    case 4: holds = c && !z; break;
    case 5: holds = n == v; break;
    case 6: holds = n == v && !z; break;
    default: return true;
    }
    return (condition & 1) != 0 ? !holds : holds;
}
static_assert(condition_holds(14, 0) && condition_holds(0, Spsr::Z::mask) && !condition_holds(1, Spsr::Z::mask));

/// A trapped AArch32 instruction that its condition turns into a no-op. The traps of AArch32 that reach EL2 have the
/// fields in the same place; without a valid one, the condition has passed.
[[nodiscard]] constexpr bool is_skipped(EsrEl2 esr, u64 pstate) {
    if (!is_aarch32(pstate))
        return false;
    const auto iss = esr.iss_as<IssMcr>();
    return iss.get<IssMcr::ConditionValid>() && !condition_holds(iss.get<IssMcr::Condition>(), pstate);
}

} // namespace sel4vm::aarch64
