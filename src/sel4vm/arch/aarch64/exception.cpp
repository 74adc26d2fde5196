// SPDX-License-Identifier: BSD-2-Clause
//
// Exception entry into EL1; see exception.hpp.
#include <sel4vm/arch/aarch64/exception.hpp>

namespace sel4vm::aarch64 {

namespace {

constexpr u64 kVectorSpEl0 = 0x000;
constexpr u64 kVectorSpEl1 = 0x200;
constexpr u64 kVectorLower64 = 0x400;
constexpr u64 kVectorLower32 = 0x600;
constexpr u64 kVbarAlignment = 0x800;

bool from_el0(u64 pstate) { return Spsr{pstate}.exception_level() == 0; }

u64 vector_offset(Spsr from) {
    if (from.exception_level() == 0)
        return from.get<Spsr::AArch32>() ? kVectorLower32 : kVectorLower64;
    return from.get<Spsr::Mode>() == Mode::el1t ? kVectorSpEl0 : kVectorSpEl1;
}

/// A class that has one number for the same level and one for a lower level, as EL1 sees it.
Ec as_seen_by_el1(Ec ec, u64 pstate) {
    const bool lower = from_el0(pstate);
    switch (ec) {
    case Ec::instruction_abort_lower:
    case Ec::instruction_abort_same: return lower ? Ec::instruction_abort_lower : Ec::instruction_abort_same;
    case Ec::data_abort_lower:
    case Ec::data_abort_same: return lower ? Ec::data_abort_lower : Ec::data_abort_same;
    case Ec::breakpoint_lower:
    case Ec::breakpoint_same: return lower ? Ec::breakpoint_lower : Ec::breakpoint_same;
    case Ec::step_lower:
    case Ec::step_same: return lower ? Ec::step_lower : Ec::step_same;
    case Ec::watchpoint_lower:
    case Ec::watchpoint_same: return lower ? Ec::watchpoint_lower : Ec::watchpoint_same;
    default: return ec;
    }
}

bool is_instruction_abort(Ec ec) { return ec == Ec::instruction_abort_lower || ec == Ec::instruction_abort_same; }
bool is_data_abort(Ec ec) { return ec == Ec::data_abort_lower || ec == Ec::data_abort_same; }

u8 external_status(bool on_walk, unsigned walk_level) {
    if (!on_walk)
        return static_cast<u8>(FaultStatus::external);
    return static_cast<u8>(static_cast<unsigned>(FaultStatus::external_on_walk) + (walk_level & 3));
}

EntrySyndrome instruction_abort(IssInstructionAbort exit, u64 far, u64 pstate, unsigned walk_level) {
    const bool far_valid = !exit.get<IssInstructionAbort::Fnv>();
    const u8 status = external_status(exit.get<IssInstructionAbort::S1ptw>(), walk_level);
    // FnV has a meaning only for synchronous external aborts that are not on a walk.
    const bool tells = status == static_cast<u8>(FaultStatus::external);
    const auto iss = IssInstructionAbort{}
                         .with<IssInstructionAbort::Fnv>(!far_valid && tells)
                         .with<IssInstructionAbort::Ifsc>(status);
    return {
        .ec = as_seen_by_el1(Ec::instruction_abort_lower, pstate), .iss = iss.raw(), .sets_far = far_valid, .far = far};
}

EntrySyndrome data_abort(GuestException fault, IssDataAbort exit, u64 far, u64 pstate, unsigned walk_level) {
    u8 status = external_status(exit.get<IssDataAbort::S1ptw>(), walk_level);
    if (fault == GuestException::alignment)
        status = static_cast<u8>(FaultStatus::alignment);
    if (fault == GuestException::unsupported_access)
        status = static_cast<u8>(FaultStatus::unsupported_exclusive);
    const bool far_valid = !exit.get<IssDataAbort::Fnv>();
    const bool tells = status == static_cast<u8>(FaultStatus::external); // as above
    const auto iss = IssDataAbort{}
                         .with<IssDataAbort::Fnv>(!far_valid && tells)
                         .with<IssDataAbort::Cm>(exit.get<IssDataAbort::Cm>())
                         .with<IssDataAbort::Wnr>(exit.get<IssDataAbort::Wnr>())
                         .with<IssDataAbort::Dfsc>(status);
    return {.ec = as_seen_by_el1(Ec::data_abort_lower, pstate), .iss = iss.raw(), .sets_far = far_valid, .far = far};
}

} // namespace

EntrySyndrome fault_syndrome(GuestException fault, EsrEl2 esr_el2, u64 far_el2, u64 pstate, unsigned walk_level) {
    if (fault == GuestException::undefined)
        return {};
    const Ec ec = esr_el2.ec();
    if (is_instruction_abort(ec))
        return instruction_abort(esr_el2.iss_as<IssInstructionAbort>(), far_el2, pstate, walk_level);
    if (is_data_abort(ec))
        return data_abort(fault, esr_el2.iss_as<IssDataAbort>(), far_el2, pstate, walk_level);
    return data_abort(fault, IssDataAbort{}.with<IssDataAbort::Fnv>(true), 0, pstate, 0);
}

EntrySyndrome reflected_syndrome(EsrEl2 esr_el2, u64 far_el2, u64 pstate) {
    const Ec ec = esr_el2.ec();
    EntrySyndrome syndrome{.ec = as_seen_by_el1(ec, pstate),
                           .iss = esr_el2.iss(),
                           .iss2 = esr_el2.get<EsrEl2::Iss2>(),
                           .long_instruction = esr_el2.get<EsrEl2::Il>()};
    if (is_data_abort(ec)) {
        // The access's description and S1PTW belong to stage 2 faults, which EL1 never sees.
        const IssDataAbort exit{syndrome.iss};
        syndrome.iss &= IssDataAbort::Fnv::mask | IssDataAbort::Ea::mask | IssDataAbort::Cm::mask |
                        IssDataAbort::Wnr::mask | IssDataAbort::Dfsc::mask;
        syndrome.sets_far = !exit.get<IssDataAbort::Fnv>();
    } else if (is_instruction_abort(ec)) {
        syndrome.iss &= ~IssInstructionAbort::S1ptw::mask;
        syndrome.sets_far = !IssInstructionAbort{syndrome.iss}.get<IssInstructionAbort::Fnv>();
    } else if (ec == Ec::watchpoint_lower || ec == Ec::watchpoint_same || ec == Ec::pc_alignment) {
        syndrome.sets_far = true;
    }
    syndrome.far = syndrome.sets_far ? far_el2 : 0;
    return syndrome;
}

ExceptionEntry enter_el1(const ExceptionContext &context, const PstateFeatures &features,
                         const EntrySyndrome &syndrome) {
    const SctlrEl1 sctlr{context.sctlr_el1};
    const Spsr from{context.pstate};

    // Kept: NZCV, DIT, and PAN as SCTLR_EL1.SPAN says, which have the same places in an AArch32 state. The rest starts clear.
    u64 kept = Spsr::N::mask | Spsr::Z::mask | Spsr::C::mask | Spsr::V::mask;
    if (features.dit)
        kept |= Spsr::Dit::mask;
    if (features.pan)
        kept |= Spsr::Pan::mask;
    Spsr after{(context.pstate & kept) | kSpsrDaif};
    after = after.with<Spsr::Mode>(Mode::el1h);
    if (features.pan && !sctlr.get<SctlrEl1::Span>())
        after = after.with<Spsr::Pan>(true);
    if (features.ssbs)
        after = after.with<Spsr::Ssbs>(sctlr.get<SctlrEl1::Dssbs>());
    if (features.mte)
        after = after.with<Spsr::Tco>(true);
    if (features.nmi)
        after = after.with<Spsr::Allint>(!sctlr.get<SctlrEl1::Spintmask>());

    const auto esr = EsrEl2{}
                         .with<EsrEl2::Iss2>(syndrome.iss2)
                         .with<EsrEl2::Ec>(syndrome.ec)
                         .with<EsrEl2::Il>(syndrome.long_instruction)
                         .with<EsrEl2::Iss>(syndrome.iss);
    return {.pc = (context.vbar_el1 & ~(kVbarAlignment - 1)) + vector_offset(from),
            .pstate = after.raw(),
            .elr_el1 = context.pc,
            .spsr_el1 = context.pstate,
            .esr_el1 = esr.raw(),
            .far_el1 = syndrome.sets_far ? syndrome.far : context.far_el1};
}

} // namespace sel4vm::aarch64
