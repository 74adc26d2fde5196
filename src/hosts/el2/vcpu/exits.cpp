// SPDX-License-Identifier: BSD-2-Clause
//
// What the rarer synchronous exits mean: aborts that need a second look, compound accesses, system registers, waits, and
// everything that the host or the guest itself must deal with. Nothing here depends on the guest behaving.
#include <hosts/el2/vcpu/processor.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/portable/sched/deadline.hpp>
#include <hosts/el2/vcpu/exit_decoding.hpp>
#include <hosts/el2/vcpu/guest_registers.hpp>

#include <sel4vm/arch/aarch64/coprocessor_access.hpp>
#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/next_instruction.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/arch/aarch64/trap.hpp>

namespace sel4vm::el2 {

using aarch64::Abort;
using aarch64::Ec;
using aarch64::EsrEl2;
using aarch64::FaultStatus;
using aarch64::GuestException;
using aarch64::is_aarch32;
using aarch64::IssDataAbort;
using aarch64::ParEl1;
using aarch64::Spsr;
namespace sysreg = aarch64::sysreg;

// ---------------------------------------------------------------- Going on after an instruction

void Processor::advance_carefully(Vcpu &vcpu) {
    GuestContext &context = vcpu.context_;
    const aarch64::Position next = aarch64::after_instruction({context.pc, context.pstate}, EsrEl2{context.esr});
    context.pc = next.pc;
    context.pstate = next.pstate;
}

// The rarer ways to finish an instruction with what was read.
[[gnu::noinline]] void Processor::complete_slowly(Vcpu &vcpu, Vcpu::Pending pending, u64 data) {
    if (pending == Vcpu::Pending::sequence)
        return continue_sequence(vcpu, data);
    set_read_value(aarch64::coprocessor_access(EsrEl2{vcpu.context_.esr}), data,
                   [&](unsigned n, u64 value) { vcpu.set_general_register(n, value); });
    advance(vcpu);
}

// What was loaded is in its register as AArch64 would have it.
[[gnu::noinline, gnu::cold]] void Processor::advance_answered(Vcpu &vcpu) {
    if (vcpu.pending_ == Vcpu::Pending::load && aarch64::is_big_endian_aarch32(vcpu.context_.pstate)) {
        const auto iss = EsrEl2{vcpu.context_.esr}.iss_as<IssDataAbort>();
        u64 &loaded = vcpu.context_.x[iss.get<IssDataAbort::Srt>()]; // there is no number 31
        loaded = load_result(iss, aarch64::swapped(loaded, aarch64::width_of(iss)));
    }
    advance_carefully(vcpu);
}

// The instruction of the last exit is not finished.
[[gnu::noinline]] void Processor::leave_instruction(Vcpu &vcpu, AnswerKind how, GuestFault fault) {
    if (vcpu.pending_ == Vcpu::Pending::call) {
        vcpu.context_.pc -= 4;
        vcpu.pending_ = Vcpu::Pending::nothing;
    }
    if (how == AnswerKind::inject)
        inject(vcpu, aarch64::exception_of(fault));
}

void Processor::inject(Vcpu &vcpu, aarch64::GuestException fault) {
    GuestContext &context = vcpu.context_;
    // After an interrupt there is no syndrome.
    const EsrEl2 esr{static_cast<i64>(context.esr) < 0 ? 0 : context.esr};
    raise(vcpu, fault_syndrome(fault, esr, vcpu.fault_address_, context.pstate, vcpu.walk_level_));
}

void Processor::raise(Vcpu &vcpu, const aarch64::EntrySyndrome &syndrome) {
    GuestContext &context = vcpu.context_;
    const aarch64::ExceptionContext before{
        .pstate = context.pstate,
        .pc = context.pc,
        .vbar_el1 = vcpu.el1(el1_register(sysreg::kVbarEl1)),
        .sctlr_el1 = vcpu.el1(el1_register(sysreg::kSctlrEl1)),
        .far_el1 = vcpu.el1(el1_register(sysreg::kFarEl1)),
    };
    const aarch64::ExceptionEntry entry = enter_el1(before, pstate_features_, syndrome);
    vcpu.set_el1(el1_register(sysreg::kElrEl1), entry.elr_el1);
    vcpu.set_el1(el1_register(sysreg::kSpsrEl1), entry.spsr_el1);
    vcpu.set_el1(el1_register(sysreg::kEsrEl1), entry.esr_el1);
    vcpu.set_el1(el1_register(sysreg::kFarEl1), entry.far_el1);
    context.pc = entry.pc;
    context.pstate = entry.pstate;
    vcpu.pending_ = Vcpu::Pending::nothing;
    vcpu.due_ &= ~u32{Vcpu::kDuePart};
    vcpu.sequence_.clear_monitor();
}

// ---------------------------------------------------------------- Aborts

Processor::Outcome Processor::on_other_data_abort(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    const auto iss = esr.iss_as<IssDataAbort>();
    const FaultStatus kind = aarch64::fault_kind(iss.get<IssDataAbort::Dfsc>());
    const aarch64::HpfarEl2 hpfar{SEL4VM_READ_SYSREG(hpfar_el2)};
    const u64 far = vcpu.fault_address_;
    const Abort abort = aarch64::abort_of(iss);
    switch (abort) {
    case Abort::access:
    case Abort::opaque: break;
    case Abort::walk: return on_walk_fault(vcpu, far, hpfar.gpa(0), kind, event);
    case Abort::tlb_conflict: return on_tlb_conflict(vcpu);
    case Abort::external: inject(vcpu, GuestException::external_abort); return Outcome::go_on;
    case Abort::unsupported: inject(vcpu, GuestException::unsupported_access); return Outcome::go_on;
    case Abort::cache_maintenance: advance(vcpu); return Outcome::go_on;
    }
    Gpa gpa = hpfar.gpa(far);
    if (!aarch64::reports_address(kind)) {
        const MemoryAccess access = iss.get<IssDataAbort::Wnr>() ? MemoryAccess::write : MemoryAccess::read;
        const ParEl1 par = translate(vcpu, far, access);
        if (par.get<ParEl1::Failed>())
            return on_lost_translation(vcpu, par, far, access, event);
        gpa = par.gpa(far);
    }
    const bool big_endian =
        (SEL4VM_READ_SYSREG(sctlr_el1) & (aarch64::SctlrEl1::Ee::mask | aarch64::SctlrEl1::E0e::mask)) != 0;
    if (abort == Abort::access && (!big_endian || is_aarch32(vcpu.context_.pstate)))
        return deliver_abort(vcpu, esr, gpa, event);
    return start_sequence(vcpu, iss, gpa, event);
}

// The guest changed its tables without the invalidation that the architecture asks for. Entries of both kinds go; should the same instruction
// bring the conflict back again and again, the guest hears of it.
Processor::Outcome Processor::on_tlb_conflict(Vcpu &vcpu) {
    asm volatile("tlbi vmalls12e1\n dsb nsh\n isb" ::: "memory");
    if (!vcpu.conflicts_.once_more(vcpu.context_.pc, 0))
        inject(vcpu, GuestException::external_abort);
    return Outcome::go_on;
}

Processor::Outcome Processor::on_instruction_abort(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    const auto iss = esr.iss_as<aarch64::IssInstructionAbort>();
    using Iss = aarch64::IssInstructionAbort;
    const FaultStatus kind = aarch64::fault_kind(iss.get<Iss::Ifsc>());
    const aarch64::HpfarEl2 hpfar{SEL4VM_READ_SYSREG(hpfar_el2)};
    const u64 far = SEL4VM_READ_SYSREG(far_el2);
    vcpu.fault_address_ = far;
    switch (aarch64::abort_of(iss)) {
    case Abort::walk: return on_walk_fault(vcpu, far, hpfar.gpa(0), kind, event);
    case Abort::tlb_conflict: return on_tlb_conflict(vcpu);
    case Abort::external: inject(vcpu, GuestException::external_abort); return Outcome::go_on;
    default: break;
    }
    Gpa gpa = hpfar.gpa(far);
    if (!aarch64::reports_address(kind)) {
        const ParEl1 par = translate(vcpu, far, MemoryAccess::fetch);
        if (par.get<ParEl1::Failed>())
            return on_lost_translation(vcpu, par, far, MemoryAccess::fetch, event);
        gpa = par.gpa(far);
    }
    return deliver(vcpu, Vcpu::Pending::nothing, MemoryExit{gpa, 0, MemoryAccess::fetch, Width::b4, true}, event);
}

// An access without a syndrome: look at the instruction.
Processor::Outcome Processor::start_sequence(Vcpu &vcpu, IssDataAbort iss, Gpa gpa, Event &event) {
    const MemoryExit opaque{gpa, 0, iss.get<IssDataAbort::Wnr>() ? MemoryAccess::write : MemoryAccess::read, Width::b1,
                            false};
    const u64 pc = vcpu.context_.pc;
    if (is_aarch32(vcpu.context_.pstate))
        return deliver(vcpu, Vcpu::Pending::advance, opaque, event);
    const ParEl1 par = translate(vcpu, pc, MemoryAccess::fetch);
    if (par.get<ParEl1::Failed>())
        return on_lost_translation(vcpu, par, pc, MemoryAccess::fetch, event);
    const volatile u8 *bytes = vcpu.space_.ram_at(par.gpa(pc), 4);
    if (bytes == nullptr)
        return deliver(vcpu, Vcpu::Pending::advance, opaque, event);
    // SAFETY: four bytes of guest RAM, read once; instructions are aligned and little-endian.
    const u32 instruction = *reinterpret_cast<const volatile u32 *>(bytes);
    const u64 sctlr = SEL4VM_READ_SYSREG(sctlr_el1);
    const bool from_el0 = Spsr{vcpu.context_.pstate}.exception_level() == 0;
    const bool big_endian =
        (sctlr & (from_el0 ? u64{aarch64::SctlrEl1::E0e::mask} : u64{aarch64::SctlrEl1::Ee::mask})) != 0;
    const aarch64::AccessRequest request{
        .instruction = instruction,
        .fault_address = GuestVirt{vcpu.fault_address_},
        .fault_gpa = gpa,
        .zva_bytes = zva_bytes_,
        .endianness = big_endian ? aarch64::Endianness::big : aarch64::Endianness::little,
        // A store-exclusive without a monitor set by hardware fails before it could trap, so the pair cannot be emulated.
        .exclusives = aarch64::ExclusivePolicy::refuse,
    };
    GuestRegisters registers(*this, vcpu);
    GuestTranslator translator(*this, vcpu);
    const aarch64::AccessStep step = vcpu.sequence_.start(request, registers, translator);
    if (step == aarch64::AccessStep::access)
        return deliver(vcpu, Vcpu::Pending::sequence, vcpu.sequence_.exit(), event);
    if (step == aarch64::AccessStep::refused)
        return deliver(vcpu, Vcpu::Pending::advance, vcpu.sequence_.exit(), event);
    end_sequence(vcpu, step);
    return Outcome::go_on;
}

// One part was answered; the next one is delivered when this vCPU would run again.
void Processor::continue_sequence(Vcpu &vcpu, u64 data) {
    GuestTranslator translator(*this, vcpu);
    const aarch64::AccessStep step = vcpu.sequence_.next(data, translator);
    if (step == aarch64::AccessStep::access || step == aarch64::AccessStep::refused) {
        vcpu.part_pending_ = step == aarch64::AccessStep::access ? Vcpu::Pending::sequence : Vcpu::Pending::advance;
        vcpu.due_ |= Vcpu::kDuePart;
        attention_.store(1, std::memory_order_relaxed);
        return;
    }
    end_sequence(vcpu, step);
}

void Processor::end_sequence(Vcpu &vcpu, aarch64::AccessStep step) {
    if (step == aarch64::AccessStep::fault) {
        inject(vcpu, vcpu.sequence_.fault());
        return;
    }
    GuestRegisters registers(*this, vcpu);
    vcpu.sequence_.commit(registers);
    advance(vcpu);
}

// ---------------------------------------------------------------- Everything else

Processor::Outcome Processor::on_system_register(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    const auto iss = esr.iss_as<aarch64::IssSysreg>();
    const u32 id = aarch64::sysreg_id(iss);
    const u64 rt = esr.raw() >> aarch64::IssSysreg::Rt::shift & aarch64::IssSysreg::Rt::max;
    // Of the registers proper, one is the host's own; the rest of its own are instructions.
    if ((aarch64::sysreg_op0(id) != 3 || id == sysreg::kIccSreEl1) && host_register(vcpu, id, esr)) [[unlikely]] {
        advance(vcpu);
        return Outcome::go_on;
    }
    if (iss.get<aarch64::IssSysreg::Read>())
        return deliver(vcpu, Vcpu::Pending::mrs, SystemRegisterExit{id, false, 0}, event);
    const u64 value = rt == 31 ? 0 : vcpu.context_.x[rt];
    return deliver(vcpu, Vcpu::Pending::advance, SystemRegisterExit{id, true, value}, event);
}

Processor::Outcome Processor::on_coprocessor(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    const aarch64::CoprocessorAccess access = aarch64::coprocessor_access(esr);
    if (!access.exists())
        return deliver(vcpu, Vcpu::Pending::advance, ExitKind::undefined, event);
    if (access.read)
        return deliver(vcpu, Vcpu::Pending::coprocessor, SystemRegisterExit{access.id, false, 0}, event);
    u64 value = written_value(access, [&](unsigned n) { return vcpu.context_.x[n]; });
    // 32 bits of it do not touch the others. That EL0 may write it means that the guest has it.
    if (access.id == sysreg::kPmccntrEl0 && !access.pair && pmu_lent_)
        value |= SEL4VM_READ_SYSREG(pmccntr_el0) & ~u64{0xffff'ffff};
    return deliver(vcpu, Vcpu::Pending::advance, SystemRegisterExit{access.id, true, value}, event);
}

Processor::Outcome Processor::on_wait(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    const auto iss = esr.iss_as<aarch64::IssWfx>();
    const aarch64::WaitInstruction what = iss.get<aarch64::IssWfx::Ti>();
    if (what == aarch64::WaitInstruction::wfe || what == aarch64::WaitInstruction::wfet) {
        // Yielding is the host's own decision: it trapped only because somebody else wants to run.
        advance(vcpu);
        scheduler_.yield();
        attention_.store(1, std::memory_order_relaxed);
        return Outcome::go_on;
    }
    // The core blocks the vCPU: ending the wait in time is this host's business.
    vcpu.wait_until_ = kNever;
    if (what == aarch64::WaitInstruction::wfit) {
        const unsigned rn = iss.get<aarch64::IssWfx::Rn>();
        const u64 deadline = rn == 31 ? 0 : vcpu.context_.x[rn];
        constexpr u32 kEnabled = 1;
        vcpu.wait_until_ = virtual_timer_fires_at({kEnabled, deadline}, vcpu.counter_offset_, now_ticks());
    }
    return deliver(vcpu, Vcpu::Pending::advance, WaitExit{false}, event);
}

Processor::Outcome Processor::on_other(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    using aarch64::Trap;
    // The most frequent, before the table.
    if (esr.ec() == Ec::wfx && !is_aarch32(vcpu.context_.pstate)) [[likely]]
        return on_wait(vcpu, esr, event);
    if (esr.ec() == Ec::smc64)
        return deliver(vcpu, Vcpu::Pending::advance,
                       aarch64::hypercall(vcpu.context_.x[0],
                                          esr.iss_as<aarch64::IssCall>().get<aarch64::IssCall::Immediate>(),
                                          aarch64::Conduit::smc),
                       event);
    switch (aarch64::trap_of(esr, vcpu.context_.pstate)) {
    case Trap::wait: return on_wait(vcpu, esr, event);
    case Trap::fp: give_fp(vcpu); return Outcome::go_on;
    case Trap::instruction_abort: return on_instruction_abort(vcpu, esr, event);
    case Trap::coprocessor: return on_coprocessor(vcpu, esr, event);
    case Trap::debug: return deliver(vcpu, Vcpu::Pending::advance, ExitKind::debug, event);
    case Trap::undefined: return deliver(vcpu, Vcpu::Pending::advance, ExitKind::undefined, event);
    case Trap::skip: advance(vcpu); return Outcome::go_on;
    case Trap::data_abort: // these three on the exit path, and SMC before
    case Trap::system_register:
    case Trap::hvc:
    case Trap::smc:
    case Trap::unknown: break;
    }
    return deliver(vcpu, Vcpu::Pending::advance, UnknownExit{static_cast<u32>(esr.ec()), esr.raw()}, event);
}

// What traps for the host's own reasons, so that nobody above it hears of it: true when done.
bool Processor::host_register(Vcpu &vcpu, u32 id, EsrEl2 esr) {
    const auto iss = esr.iss_as<aarch64::IssSysreg>();
    const unsigned rt = iss.get<aarch64::IssSysreg::Rt>();
    if (id == sysreg::kDcIsw || id == sysreg::kDcCsw || id == sysreg::kDcCisw) {
        // Clean and invalidate does all that any of them asks, and cannot lose another's data.
        const u64 operand = rt == 31 ? 0 : vcpu.context_.x[rt];
        asm volatile("dc cisw, %0" ::"r"(operand) : "memory");
        return true;
    }
    if (id == sysreg::kIccSreEl1 && interface_.version() == GicVersion::v3) {
        // System registers are enabled for good; writes are ignored.
        if (iss.get<aarch64::IssSysreg::Read>())
            vcpu.set_general_register(rt, 7);
        return true;
    }
    return false;
}

} // namespace sel4vm::el2
