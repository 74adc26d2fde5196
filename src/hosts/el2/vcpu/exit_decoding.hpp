// SPDX-License-Identifier: BSD-2-Clause
//
// The inline parts of exit decoding that both the exit path (processor.cpp) and the rarer exits (exits.cpp) use.
#pragma once

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/vcpu/processor.hpp>

#include <sel4vm/arch/aarch64/access.hpp>
#include <sel4vm/arch/aarch64/next_instruction.hpp>

namespace sel4vm::el2 {

/// The physical counter.
[[nodiscard]] inline u64 now_ticks() {
    isb(); // it may be read early otherwise
    return SEL4VM_READ_SYSREG(cntpct_el0);
}

[[gnu::always_inline]] inline void Processor::advance(Vcpu &vcpu) {
    if ((vcpu.context_.pstate & aarch64::kCarefulAdvance) != 0) [[unlikely]]
        advance_carefully(vcpu);
    else
        vcpu.context_.pc += 4;
}

/// Puts an exit of `vcpu`, which is answered_, into the event and remembers what completing it takes.
template <class Payload>
[[gnu::always_inline]] inline Processor::Outcome Processor::deliver(Vcpu &vcpu, Vcpu::Pending pending,
                                                                    const Payload &payload, Event &event) {
    vcpu.pending_ = pending;
    static_cast<EventSource &>(event) = vcpu.exit_source_;
    event.exit = Exit(payload);
    return Outcome::deliver;
}

/// A data abort with a syndrome whose guest-physical address is known.
[[gnu::always_inline]] inline Processor::Outcome Processor::deliver_abort(Vcpu &vcpu, aarch64::EsrEl2 esr, Gpa gpa,
                                                                          Event &event) {
    // On 64 bits and with the two directions apart: exit_from_syndrome() in half the instructions.
    using Iss = aarch64::IssDataAbort;
    const u64 size = esr.raw() >> Iss::Sas::shift & Iss::Sas::max;
    const auto width = static_cast<Width>(1U << size);
    if ((esr.raw() & Iss::Wnr::mask) == 0)
        return deliver(vcpu, Vcpu::Pending::load, MemoryExit{gpa, 0, MemoryAccess::read, width, true}, event);
    const u64 rt = esr.raw() >> Iss::Srt::shift & Iss::Srt::max;
    u64 value = 0;
    if (rt != 31) {
        value = vcpu.context_.x[rt];
        if (width == Width::b4) [[likely]] {
            value = static_cast<u32>(value);
        } else {
            asm volatile(""); // words do not wait for the mask
            value &= mask_of(width);
        }
    }
    if (aarch64::is_aarch32(vcpu.context_.pstate)) [[unlikely]]
        value = aarch64::stored_by_aarch32(value, width, vcpu.context_.pstate);
    return deliver(vcpu, Vcpu::Pending::advance, MemoryExit{gpa, value, MemoryAccess::write, width, true}, event);
}

} // namespace sel4vm::el2
