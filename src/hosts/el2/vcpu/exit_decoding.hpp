// SPDX-License-Identifier: BSD-2-Clause
//
// The inline parts of exit decoding that both the exit path (processor.cpp) and the rarer exits (exits.cpp) use.
#pragma once

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/vcpu/processor.hpp>

namespace sel4vm::el2 {

/// The physical counter.
[[nodiscard]] inline u64 now_ticks() {
    isb(); // it may be read early otherwise
    return SEL4VM_READ_SYSREG(cntpct_el0);
}

/// Where going to the next instruction takes more than adding 4: a branch target state, a single step, AArch32.
inline constexpr u64 kCarefulAdvance =
    aarch64::Spsr::Btype::mask | aarch64::Spsr::Ss::mask | aarch64::Spsr::AArch32::mask;

[[gnu::always_inline]] inline void Processor::advance(Vcpu &vcpu) {
    if ((vcpu.context_.pstate & kCarefulAdvance) != 0) [[unlikely]]
        advance_carefully(vcpu);
    else
        vcpu.context_.pc += 4;
}

/// Puts an exit of `vcpu`, which is answered_, into the event and remembers what completing it takes.
template <class Payload>
[[gnu::always_inline]] inline Processor::Outcome Processor::deliver(Vcpu &vcpu, Vcpu::Pending pending,
                                                                    const Payload &payload, Event &event) {
    vcpu.pending_ = pending;
    event.kind = EventKind::exit;
    event.vm = vcpu.setup_.vm;
    event.vcpu = vcpu.setup_.vcpu;
    event.exit = Exit(payload);
    return Outcome::deliver;
}

/// A data abort with a syndrome whose guest-physical address is known.
[[gnu::always_inline]] inline Processor::Outcome Processor::deliver_abort(Vcpu &vcpu, aarch64::IssDataAbort iss,
                                                                          Gpa gpa, Event &event) {
    const unsigned rt = iss.get<aarch64::IssDataAbort::Srt>();
    const u64 value = rt == 31 ? 0 : vcpu.context_.x[rt];
    const auto pending = iss.get<aarch64::IssDataAbort::Wnr>() ? Vcpu::Pending::advance : Vcpu::Pending::load;
    return deliver(vcpu, pending, aarch64::exit_from_syndrome(iss, gpa, value), event);
}

} // namespace sel4vm::el2
