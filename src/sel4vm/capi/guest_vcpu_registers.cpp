// SPDX-License-Identifier: BSD-2-Clause
//
// A vCPU's registers under the names of the C interface. While it is off they are kept here, because the reset before its
// start clears the host's.
#include <sel4vm/capi/guest_vcpu.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/vm/vm.hpp>

namespace sel4vm::capi {

namespace {

namespace sysreg = aarch64::sysreg;

/// The system register of seL4's name, where it is one.
std::optional<u32> system_register_of(u64 reg) {
    switch (reg) {
    case seL4_VCPUReg_SCTLR: return sysreg::kSctlrEl1;
    case seL4_VCPUReg_CPACR: return sysreg::kCpacrEl1;
    case seL4_VCPUReg_TTBR0: return sysreg::kTtbr0El1;
    case seL4_VCPUReg_TTBR1: return sysreg::kTtbr1El1;
    case seL4_VCPUReg_TCR: return sysreg::kTcrEl1;
    case seL4_VCPUReg_MAIR: return sysreg::kMairEl1;
    case seL4_VCPUReg_AMAIR: return sysreg::kAmairEl1;
    case seL4_VCPUReg_CIDR: return sysreg::kContextidrEl1;
    case seL4_VCPUReg_ACTLR: return sysreg::kActlrEl1;
    case seL4_VCPUReg_AFSR0: return sysreg::kAfsr0El1;
    case seL4_VCPUReg_AFSR1: return sysreg::kAfsr1El1;
    case seL4_VCPUReg_ESR: return sysreg::kEsrEl1;
    case seL4_VCPUReg_FAR: return sysreg::kFarEl1;
    case seL4_VCPUReg_PAR: return sysreg::kParEl1;
    case seL4_VCPUReg_VBAR: return sysreg::kVbarEl1;
    case seL4_VCPUReg_TPIDR_EL1: return sysreg::kTpidrEl1;
    case seL4_VCPUReg_VMPIDR_EL2: return sysreg::kMpidrEl1;
    case seL4_VCPUReg_SP_EL1: return sysreg::kSpEl1;
    case seL4_VCPUReg_ELR_EL1: return sysreg::kElrEl1;
    case seL4_VCPUReg_SPSR_EL1: return sysreg::kSpsrEl1;
    case seL4_VCPUReg_CNTV_CTL: return sysreg::kCntvCtlEl0;
    case seL4_VCPUReg_CNTV_CVAL: return sysreg::kCntvCvalEl0;
    case seL4_VCPUReg_CNTKCTL_EL1: return sysreg::kCntkctlEl1;
    default: return std::nullopt;
    }
}

bool write_register(const aarch64::VcpuPorts &ports, u64 reg, u64 value) {
    if (reg == seL4_VCPUReg_CNTVOFF && ports.timer != nullptr) {
        ports.timer->set_counter_offset(value);
        return true;
    }
    const auto id = system_register_of(reg);
    return id && ports.vcpu->set_system_register(*id, value).has_value();
}

} // namespace

bool GuestVcpu::is_off() const { return core_->power_state() == PowerState::off; }

bool GuestVcpu::is_over() const { return core_->vm().state() == VmState::stopped; }

bool GuestVcpu::is_reachable() const { return core_->is_reachable(); }

u64 GuestVcpu::context_word(usize index) { return is_off() ? start_.words[index] : read_context_word(port(), index); }

void GuestVcpu::get_context(seL4_UserContext &context) {
    copy_context(is_off() ? start_.words.data() : registers().data(), &context);
}

const UserContextArray &GuestVcpu::registers() {
    if (context_ != nullptr)
        return context_->context();
    for (usize i = 0; i < read_.words.size(); ++i)
        read_.words[i] = read_context_word(port(), i);
    return read_.words;
}

bool GuestVcpu::set_context_word(usize index, u64 value) {
    // A callback that sends the vCPU elsewhere has decided.
    if (index == UserContextLayout::kPc && kind_ != FaultKind::none && !held_ && verdict_ == Verdict::none &&
        value != port().program_counter())
        verdict_ = Verdict::restart;
    if (is_off() || is_over())
        start_.words[index] = value;
    if (is_off())
        return true;
    if (smc_context_ != nullptr)
        smc_context_->set(index, value); // its callback sees it, and does not undo it
    return put_context_word(index, value);
}

bool GuestVcpu::put_context_word(usize index, u64 value) {
    if (context_ != nullptr)
        return context_->set_context_word(index, value);
    read_.words[index] = value;
    return write_context_word(port(), index, value);
}

void GuestVcpu::put_changes(const ChangingContext &context) {
    const usize count = context.changed_count();
    if (count == 0)
        return;
    if (context_ != nullptr) {
        context_->set_context(context.now(), count);
        return;
    }
    for (usize index = 0; index < count; ++index) {
        if (context.changed(index))
            static_cast<void>(put_context_word(index, context.now(index))); // what the host cannot set stays
    }
}

std::optional<u64> GuestVcpu::vcpu_register(u64 reg) {
    if (reg >= seL4_VCPUReg_Num || reg >= kMaxVcpuRegisters)
        return std::nullopt;
    if (is_off() && (start_registers_set_ >> reg & 1) != 0)
        return start_registers_[reg];
    if (reg == seL4_VCPUReg_CNTVOFF && ports_.timer != nullptr)
        return ports_.timer->counter_offset();
    const auto id = system_register_of(reg);
    if (!id)
        return std::nullopt;
    const auto value = port().system_register(*id);
    if (!value)
        return std::nullopt;
    return *value;
}

bool GuestVcpu::set_vcpu_register(u64 reg, u64 value) {
    if (reg >= seL4_VCPUReg_Num || reg >= kMaxVcpuRegisters)
        return false;
    if (reg != seL4_VCPUReg_CNTVOFF && !system_register_of(reg))
        return false;
    if (is_off() || is_over()) {
        start_registers_[reg] = value;
        start_registers_set_ |= u64{1} << reg;
    }
    return is_off() || write_register(ports_, reg, value);
}

void GuestVcpu::entering() {
    decision_.reset();
    kind_ = FaultKind::none;
    held_ = false;
    awaits_client_ = false;
    start_requested_ = false;
    c_.vcpu_online = true;
    const bool by_client = std::exchange(start_with_client_, false);
    for (u64 reg = 0; reg < kMaxVcpuRegisters; ++reg) {
        // Who it is does not depend on who starts it.
        if ((start_registers_set_ >> reg & 1) != 0 && (by_client || reg == seL4_VCPUReg_VMPIDR_EL2))
            static_cast<void>(write_register(ports_, reg, start_registers_[reg]));
    }
    if (!by_client)
        return;
    for (usize i = 0; i < start_.words.size(); ++i) {
        if (i != UserContextLayout::kSpsr || start_.words[i] != 0)
            static_cast<void>(write_context_word(port(), i, start_.words[i]));
    }
}

} // namespace sel4vm::capi
