// SPDX-License-Identifier: BSD-2-Clause
//
// The exit path: the answer to the last exit, entry into the guest, and back. What happens on nearly every exit is in this
// file; the rest is behind calls. README.md counts the instructions.
#pragma once

#include <hosts/el2/vcpu/processor.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/vcpu/exit_decoding.hpp>

#include <sel4vm/arch/aarch64/access.hpp>
#include <sel4vm/arch/aarch64/hypercall.hpp>

namespace sel4vm::el2 {

namespace exit_path {

using aarch64::IssDataAbort;

// Runs the guest until it traps; returns its syndrome, or kExitIrq and so on. Inline, so that the one function around it
// saves the host's registers once; the vectors come back to label 1 with nothing but the stack pointer restored.
// SAFETY: the context is a complete guest state, and every register that the guest or the vectors change is named here.
[[gnu::always_inline]] inline u64 enter(GuestContext &context) {
    register u64 in_out asm("x0") = reinterpret_cast<u64>(&context);
    asm volatile("mov  x1, sp\n"
                 "adr  x2, 1f\n"
                 "stp  x1, x2, [x0, #272]\n"
                 "mov  sp, x0\n"
                 "ldp  x1, x2, [sp, #248]\n"
                 "msr  elr_el2, x1\n"
                 "msr  spsr_el2, x2\n"
                 "ldp  x2, x3, [sp, #16]\n"
                 "ldp  x4, x5, [sp, #32]\n"
                 "ldp  x6, x7, [sp, #48]\n"
                 "ldp  x8, x9, [sp, #64]\n"
                 "ldp  x10, x11, [sp, #80]\n"
                 "ldp  x12, x13, [sp, #96]\n"
                 "ldp  x14, x15, [sp, #112]\n"
                 "ldp  x16, x17, [sp, #128]\n"
                 "ldp  x18, x19, [sp, #144]\n"
                 "ldp  x20, x21, [sp, #160]\n"
                 "ldp  x22, x23, [sp, #176]\n"
                 "ldp  x24, x25, [sp, #192]\n"
                 "ldp  x26, x27, [sp, #208]\n"
                 "ldp  x28, x29, [sp, #224]\n"
                 "ldr  x30, [sp, #240]\n"
                 "ldp  x0, x1, [sp, #0]\n"
                 "eret\n"
                 "dsb  nsh\n" // nothing speculates past the return
                 "isb\n"
                 "1:\n"
                 : "+r"(in_out)
                 :
                 : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                   "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29",
                   "x30", "memory", "cc");
    return in_out;
}

// A translation fault of stage 2 at any level, not of a table walk or a cache operation: HPFAR_EL2 has the address.
inline constexpr u32 kPlainAbortMask = IssDataAbort::Cm::mask | IssDataAbort::S1ptw::mask | 0x3c;
inline constexpr u32 kPlainAbort = static_cast<u32>(aarch64::FaultStatus::translation);
inline constexpr u32 kWord = static_cast<u32>(aarch64::AccessSize::word) << IssDataAbort::Sas::shift;

inline constexpr u64 kBigEndian = aarch64::SctlrEl1::Ee::mask | aarch64::SctlrEl1::E0e::mask;

} // namespace exit_path

[[gnu::always_inline]] inline void Processor::complete(Vcpu &vcpu, u64 data) {
    // In the order of how much an instruction more would matter.
    const Vcpu::Pending pending = vcpu.pending_;
    if (pending == Vcpu::Pending::call)
        return;
    if (pending == Vcpu::Pending::load) {
        const u64 esr = vcpu.context_.esr;
        const u64 rt = esr >> aarch64::IssDataAbort::Srt::shift & aarch64::IssDataAbort::Srt::max;
        if (rt != 31) {
            const bool plain_word =
                (esr & (aarch64::IssDataAbort::Sas::mask | aarch64::IssDataAbort::Sse::mask)) == exit_path::kWord;
            vcpu.context_.x[rt] = plain_word ? static_cast<u32>(data)
                                             : load_result(aarch64::EsrEl2{esr}.iss_as<aarch64::IssDataAbort>(), data);
        }
    } else if (pending == Vcpu::Pending::mrs) {
        const unsigned rt =
            aarch64::EsrEl2{vcpu.context_.esr}.iss_as<aarch64::IssSysreg>().get<aarch64::IssSysreg::Rt>();
        if (rt != 31)
            vcpu.context_.x[rt] = data;
    } else if (pending >= Vcpu::Pending::sequence) {
        if (pending != Vcpu::Pending::nothing)
            complete_slowly(vcpu, pending, data);
        return;
    }
    if ((vcpu.context_.pstate & aarch64::kCarefulAdvance) != 0) [[unlikely]]
        advance_answered(vcpu);
    else
        vcpu.context_.pc += 4;
}

// What is called here takes parts of the answer: a whole one would be laid out on the stack at every exit.
[[gnu::always_inline]] inline void Processor::finish(Answer answer) {
    if (answer.kind() == AnswerKind::complete) [[likely]]
        complete(*answered_, answer.data());
    else if (answer.kind() > AnswerKind::complete)
        leave_instruction(*answered_, answer.kind(), answer.fault());
    if (answer.next() != Next::run) [[unlikely]]
        leave_running(*answered_, answer.kind(), answer.next());
}

[[gnu::always_inline]] inline Processor::Outcome Processor::on_data_abort(Vcpu &vcpu, aarch64::EsrEl2 esr,
                                                                          Event &event) {
    const u64 far = SEL4VM_READ_SYSREG(far_el2);
    vcpu.fault_address_ = far;
    const auto iss = esr.iss_as<aarch64::IssDataAbort>();
    const u64 sctlr = SEL4VM_READ_SYSREG(sctlr_el1);
    if (!iss.get<aarch64::IssDataAbort::Isv>() || (iss.raw() & exit_path::kPlainAbortMask) != exit_path::kPlainAbort ||
        (sctlr & exit_path::kBigEndian) != 0) [[unlikely]]
        return on_other_data_abort(vcpu, esr, event);
    // HPFAR_EL2 has the page number from bit 4 on, and its other bits are zero here: HpfarEl2::gpa() in two instructions.
    const Gpa gpa{SEL4VM_READ_SYSREG(hpfar_el2) << 8 | (far & (kPageBytes - 1))};
    return deliver_abort(vcpu, esr, gpa, event);
}

[[gnu::always_inline]] inline Processor::Outcome Processor::on_exit(Vcpu &vcpu, u64 cause, Event &event) {
    if (static_cast<i64>(cause) >= 0) [[likely]] {
        const aarch64::EsrEl2 esr{cause};
        // In the order of how much an instruction more would matter.
        const aarch64::Ec ec = esr.ec();
        if (ec == aarch64::Ec::data_abort_lower)
            return on_data_abort(vcpu, esr, event);
        if (ec == aarch64::Ec::hvc64) {
            const u16 immediate = esr.iss_as<aarch64::IssCall>().get<aarch64::IssCall::Immediate>();
            return deliver(vcpu, Vcpu::Pending::call,
                           aarch64::hypercall(vcpu.context_.x[0], immediate, aarch64::Conduit::hvc), event);
        }
        if (ec == aarch64::Ec::sysreg)
            return on_system_register(vcpu, esr, event);
        return on_other(vcpu, esr, event);
    }
    if (cause == kExitSError)
        return on_serror();
    return take_interrupt(&event);
}

// In the loop of whoever knows which port it has.
[[gnu::always_inline]] inline void Processor::resume_here(Answer answer, Event &event) {
    finish(answer);
    if (attention_.load(std::memory_order_relaxed) == 0) [[likely]] {
        const u64 cause = exit_path::enter(running_->context_);
        if (on_exit(*running_, cause, event) == Outcome::deliver) [[likely]]
            return;
    }
    resume_slowly(event);
}

} // namespace sel4vm::el2
