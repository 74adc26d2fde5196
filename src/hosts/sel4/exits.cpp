// SPDX-License-Identifier: BSD-2-Clause
//
// What a fault message means. Lengths and numbers are checked, since a guest can send such messages itself; what makes no
// sense is answered and otherwise ignored, which can hurt nobody but the guest that sent it.
#include <hosts/sel4/endpoint_port.hpp>

#include <hosts/sel4/deliver.hpp>

#include <sel4vm/arch/aarch64/coprocessor_access.hpp>
#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/arch/aarch64/next_instruction.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/arch/aarch64/timer_registers.hpp>
#include <sel4vm/arch/aarch64/trap.hpp>

#include <algorithm>
#include <utility>

namespace sel4vm::sel4 {

using aarch64::Abort;
using aarch64::Ec;
using aarch64::EsrEl2;
using aarch64::FaultStatus;
using aarch64::GuestException;
using aarch64::IssDataAbort;
using aarch64::Trap;

namespace {

// A syndrome is valid, the fault is one of translation at any level, and it is not one of a table walk or a cache operation.
constexpr u32 kPlainAbortMask = IssDataAbort::Isv::mask | IssDataAbort::Cm::mask | IssDataAbort::S1ptw::mask | 0x3c;
constexpr u32 kPlainAbort = IssDataAbort::Isv::mask | static_cast<u32>(FaultStatus::translation);

constexpr unsigned kSyscallWords = word_of_x(7) + 1; ///< the registers that an unknown system call brings

} // namespace

EndpointPort::Outcome EndpointPort::on_fault(Vcpu &vcpu, const Message &message, Event &event) {
    const seL4_Word label = message.label();
    vcpu.registers_.begin();
    if (label == seL4_Fault_VCPUFault) {
        if (message.length() < seL4_VCPUFault_Length)
            return Outcome::go_on;
        vcpu.answer_words_ = kNotFast;
        return on_vcpu_fault(vcpu, EsrEl2{static_cast<u32>(message.mr[seL4_VCPUFault_HSR])}, event);
    }
    switch (label) {
    case seL4_Fault_UnknownSyscall: return on_unknown_system_call(vcpu, message, event);
    case seL4_Fault_UserException:
        // An instruction of EL1 that nobody knows, or one that this kernel traps and does not name.
        vcpu.esr_ = 0;
        return deliver(vcpu, Vcpu::Pending::nothing, ExitKind::undefined, event);
    case seL4_Fault_CapFault: return on_cap_fault(vcpu, message, event);
    default: return Outcome::go_on;
    }
}

EndpointPort::Outcome EndpointPort::on_timer(Vcpu &vcpu, const Message &message, Event &event) {
    vcpu.registers_.begin();
    vcpu.answer_words_ = kNotFast;
    vcpu.esr_ = 0;
    if (message.length() < seL4_VPPIEvent_Length || message.mr[seL4_VPPIEvent_IRQ] != aarch64::kTimerIntidVirtual)
        return Outcome::go_on;
    vcpu.timer_port_.fired();
    return deliver(vcpu, Vcpu::Pending::nothing, aarch64::irq_service(aarch64::IrqService::virtual_timer), event);
}

EndpointPort::Outcome EndpointPort::on_maintenance(Vcpu &vcpu, const Message &message, Event &event) {
    vcpu.registers_.begin();
    vcpu.answer_words_ = kNotFast;
    vcpu.esr_ = 0;
    if (message.length() >= seL4_VGICMaintenance_Length)
        vcpu.list_registers_.finished(message.mr[seL4_VGICMaintenance_IDX]);
    return deliver(vcpu, Vcpu::Pending::nothing, aarch64::irq_service(aarch64::IrqService::maintenance), event);
}

// ---------------------------------------------------------------- Calls

// An `hvc` whose x7 names no system call. The message is the registers, and so is the answer.
EndpointPort::Outcome EndpointPort::on_unknown_system_call(Vcpu &vcpu, const Message &message, Event &event) {
    if (message.length() < seL4_UnknownSyscall_Length)
        return Outcome::go_on;
    vcpu.esr_ = 0;
    auto &words = vcpu.registers_.words();
    const seL4_Word *const rest = &seL4_GetIPCBuffer()->msg[0];
    for (unsigned i = 0; i < message.mr.size(); ++i)
        words[kWordX0 + i] = message.mr[i];
    for (usize i = message.mr.size(); i < seL4_UnknownSyscall_FaultIP; ++i)
        words[kWordX0 + i] = rest[i];
    words[kWordPc] = rest[seL4_UnknownSyscall_FaultIP];
    words[kWordSp] = rest[seL4_UnknownSyscall_SP];
    words[kWordPstate] = rest[seL4_UnknownSyscall_SPSR];
    vcpu.registers_.begin_with(kSyscallWords);
    vcpu.wake_ = Vcpu::Wake::message;
    // The kernel keeps the immediate to itself. PC is that of the call.
    return deliver(vcpu, Vcpu::Pending::advance, aarch64::hypercall(message.mr[0], 0, aarch64::Conduit::hvc), event);
}

// An `hvc` whose x7 happens to name a system call that needs a capability where the guest has none.
EndpointPort::Outcome EndpointPort::on_cap_fault(Vcpu &vcpu, const Message &, Event &event) {
    vcpu.esr_ = 0;
    return deliver(vcpu, Vcpu::Pending::advance,
                   aarch64::hypercall(vcpu.registers_.get(word_of_x(0)), 0, aarch64::Conduit::hvc), event);
}

// ---------------------------------------------------------------- Memory

EndpointPort::Outcome EndpointPort::on_memory_fault(Vcpu &vcpu, const Message &message, Event &event) {
    vcpu.registers_.begin_at(message.mr[seL4_VMFault_IP]);
    const EsrEl2 esr{static_cast<u32>(message.mr[seL4_VMFault_FSR])};
    vcpu.esr_ = static_cast<u32>(esr.raw());
    vcpu.fault_gpa_ = Gpa{message.mr[seL4_VMFault_Addr]};
    if (esr.ec() == Ec::data_abort_lower) [[likely]] {
        if ((esr.raw() & kPlainAbortMask) != kPlainAbort) [[unlikely]]
            return on_unusual_data_abort(vcpu, esr, event);
        const u64 size = esr.raw() >> IssDataAbort::Sas::shift & IssDataAbort::Sas::max;
        const auto width = static_cast<Width>(1U << size);
        const Gpa gpa = vcpu.fault_gpa_;
        if ((esr.raw() & IssDataAbort::Wnr::mask) == 0)
            return deliver(vcpu, Vcpu::Pending::load, MemoryExit{gpa, 0, MemoryAccess::read, width, true}, event);
        return on_store(vcpu, gpa, width, event);
    }
    if (esr.ec() == Ec::instruction_abort_lower)
        return on_instruction_abort(vcpu, esr, event);
    return Outcome::go_on;
}

// Apart from a load, which needs no register yet.
[[gnu::noinline]] EndpointPort::Outcome EndpointPort::on_store(Vcpu &vcpu, Gpa gpa, Width width, Event &event) {
    const auto rt = static_cast<unsigned>(vcpu.esr_ >> IssDataAbort::Srt::shift & IssDataAbort::Srt::max);
    u64 value = rt == 31 ? 0 : vcpu.registers_.get(word_of_x(rt)) & mask_of(width);
    // Known with any register, and only AArch64 has stores of none.
    if (rt != 31)
        value = aarch64::stored_by_aarch32(value, width, vcpu.registers_.get(kWordPstate));
    return deliver(vcpu, Vcpu::Pending::advance, MemoryExit{gpa, value, MemoryAccess::write, width, true}, event);
}

EndpointPort::Outcome EndpointPort::on_unusual_data_abort(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    const auto iss = esr.iss_as<IssDataAbort>();
    switch (aarch64::abort_of(iss)) {
    case Abort::access: break;
    case Abort::opaque: return start_sequence(vcpu, event);
    case Abort::walk: return on_walk_fault(vcpu, event);
    case Abort::unsupported: inject(vcpu, GuestException::unsupported_access); return Outcome::go_on;
    case Abort::tlb_conflict: // nothing that a user of the kernel could do
    case Abort::external: inject(vcpu, GuestException::external_abort); return Outcome::go_on;
    case Abort::cache_maintenance: advance(vcpu); return Outcome::go_on;
    }
    const MemoryAccess access = iss.get<IssDataAbort::Wnr>() ? MemoryAccess::write : MemoryAccess::read;
    if (access == MemoryAccess::write)
        return on_store(vcpu, vcpu.fault_gpa_, aarch64::width_of(iss), event);
    return deliver(vcpu, Vcpu::Pending::load, aarch64::exit_from_syndrome(iss, vcpu.fault_gpa_, 0), event);
}

EndpointPort::Outcome EndpointPort::on_instruction_abort(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    const Abort abort = aarch64::abort_of(esr.iss_as<aarch64::IssInstructionAbort>());
    if (abort == Abort::walk)
        return on_walk_fault(vcpu, event);
    if (abort != Abort::access) {
        inject(vcpu, GuestException::external_abort);
        return Outcome::go_on;
    }
    return deliver(vcpu, Vcpu::Pending::nothing, MemoryExit{vcpu.fault_gpa_, 0, MemoryAccess::fetch, Width::b4, true},
                   event);
}

// ---------------------------------------------------------------- Everything else

EndpointPort::Outcome EndpointPort::on_vcpu_fault(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    vcpu.esr_ = static_cast<u32>(esr.raw());
    if (esr.ec() == Ec::smc64) {
        if (std::exchange(vcpu.took_context_, false))
            static_cast<void>(vcpu.registers_.all());
        return deliver(vcpu, Vcpu::Pending::advance,
                       aarch64::hypercall(vcpu.registers_.get(word_of_x(0)),
                                          esr.iss_as<aarch64::IssCall>().get<aarch64::IssCall::Immediate>(),
                                          aarch64::Conduit::smc),
                       event);
    }
    // Not needed by all of them, and a system call where the register is not known yet.
    const u64 pstate = aarch64::may_be_skipped(esr) ? vcpu.registers_.get(kWordPstate) : 0;
    switch (aarch64::trap_of(esr, pstate)) {
    case Trap::system_register: return on_system_register(vcpu, esr, event);
    case Trap::coprocessor: return on_coprocessor(vcpu, esr, event);
    case Trap::wait: return on_wait_instruction(vcpu, esr, event);
    case Trap::debug: return deliver(vcpu, Vcpu::Pending::advance, ExitKind::debug, event);
    case Trap::undefined: return deliver(vcpu, Vcpu::Pending::advance, ExitKind::undefined, event);
    case Trap::skip: advance(vcpu); return Outcome::go_on;
    case Trap::data_abort: // these come in messages of their own, and SIMD is the kernel's
    case Trap::instruction_abort:
    case Trap::hvc:
    case Trap::smc:
    case Trap::fp:
    case Trap::unknown: break;
    }
    return deliver(vcpu, Vcpu::Pending::advance, UnknownExit{static_cast<u32>(esr.ec()), esr.raw()}, event);
}

EndpointPort::Outcome EndpointPort::on_system_register(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    using Iss = aarch64::IssSysreg;
    const auto iss = esr.iss_as<Iss>();
    const u32 id = aarch64::sysreg_id(iss);
    if (iss.get<Iss::Read>())
        return deliver(vcpu, Vcpu::Pending::mrs, SystemRegisterExit{id, false, 0}, event);
    const unsigned rt = iss.get<Iss::Rt>();
    const u64 value = rt == 31 ? 0 : vcpu.registers_.get(word_of_x(rt));
    return deliver(vcpu, Vcpu::Pending::advance, SystemRegisterExit{id, true, value}, event);
}

EndpointPort::Outcome EndpointPort::on_coprocessor(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    const aarch64::CoprocessorAccess access = aarch64::coprocessor_access(esr);
    if (!access.exists())
        return deliver(vcpu, Vcpu::Pending::advance, ExitKind::undefined, event);
    if (access.read)
        return deliver(vcpu, Vcpu::Pending::coprocessor, SystemRegisterExit{access.id, false, 0}, event);
    const u64 value = written_value(access, [&](unsigned n) { return vcpu.registers_.get(word_of_x(n)); });
    return deliver(vcpu, Vcpu::Pending::advance, SystemRegisterExit{access.id, true, value}, event);
}

EndpointPort::Outcome EndpointPort::on_wait_instruction(Vcpu &vcpu, EsrEl2 esr, Event &event) {
    const auto iss = esr.iss_as<aarch64::IssWfx>();
    const aarch64::WaitInstruction what = iss.get<aarch64::IssWfx::Ti>();
    const bool for_event = what == aarch64::WaitInstruction::wfe || what == aarch64::WaitInstruction::wfet;
    // A wait may end at any time, so one with a deadline of its own (WFIT) ends at once, like one for an event.
    if (for_event || what == aarch64::WaitInstruction::wfit) {
        advance(vcpu);
        seL4_Yield();
        return Outcome::go_on;
    }
    return deliver(vcpu, Vcpu::Pending::advance, WaitExit{false}, event);
}

} // namespace sel4vm::sel4
