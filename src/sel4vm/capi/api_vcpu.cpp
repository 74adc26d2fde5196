// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/guest_vcpu_fault.h, sel4vm/arch/guest_arm_context.h and the table of sel4vm/sel4_arch/processor.h
#include <sel4vm/guest_vcpu_fault.h>

#include <sel4vm/capi/arguments.hpp>

#include <sel4vm/arch/guest_arm_context.h>
#include <sel4vm/sel4_arch/processor.h>

using namespace sel4vm;

namespace {

/// The vCPU whose fault is asked for, or nullptr after a line.
capi::GuestVcpu *faulting(vm_vcpu_t *vcpu, const char *call) {
    capi::GuestVcpu *guest = capi::vcpu_of(vcpu, call);
    if (guest != nullptr && !guest->has_fault()) {
        guest->machine().complain(call, "the vCPU has no fault");
        return nullptr;
    }
    return guest;
}

/// The vCPU whose registers are asked for, or nullptr after a line.
capi::GuestVcpu *reachable(vm_vcpu_t *vcpu, const char *call) {
    capi::GuestVcpu *guest = capi::vcpu_of(vcpu, call);
    if (guest != nullptr && !guest->is_reachable()) {
        guest->machine().complain(call, "the vCPU is running");
        return nullptr;
    }
    return guest;
}

} // namespace

seL4_Word get_vcpu_fault_address(vm_vcpu_t *vcpu) {
    const capi::GuestVcpu *guest = faulting(vcpu, "get_vcpu_fault_address");
    return guest == nullptr ? 0 : guest->fault_address();
}

seL4_Word get_vcpu_fault_ip(vm_vcpu_t *vcpu) {
    const capi::GuestVcpu *guest = faulting(vcpu, "get_vcpu_fault_ip");
    return guest == nullptr ? 0 : guest->port().program_counter();
}

seL4_Word get_vcpu_fault_data(vm_vcpu_t *vcpu) {
    const capi::GuestVcpu *guest = faulting(vcpu, "get_vcpu_fault_data");
    return guest == nullptr ? 0 : guest->fault_data();
}

seL4_Word get_vcpu_fault_data_mask(vm_vcpu_t *vcpu) {
    const capi::GuestVcpu *guest = faulting(vcpu, "get_vcpu_fault_data_mask");
    return guest == nullptr ? 0 : guest->fault_mask();
}

size_t get_vcpu_fault_size(vm_vcpu_t *vcpu) {
    const capi::GuestVcpu *guest = faulting(vcpu, "get_vcpu_fault_size");
    return guest == nullptr ? 0 : guest->fault_bytes();
}

bool is_vcpu_read_fault(vm_vcpu_t *vcpu) {
    const capi::GuestVcpu *guest = faulting(vcpu, "is_vcpu_read_fault");
    return guest != nullptr && guest->fault_is_read();
}

int set_vcpu_fault_data(vm_vcpu_t *vcpu, seL4_Word data) {
    capi::GuestVcpu *guest = faulting(vcpu, "set_vcpu_fault_data");
    if (guest == nullptr)
        return -1;
    guest->set_fault_data(data);
    return 0;
}

seL4_Word emulate_vcpu_fault(vm_vcpu_t *vcpu, seL4_Word data) {
    const capi::GuestVcpu *guest = faulting(vcpu, "emulate_vcpu_fault");
    return guest == nullptr ? data : guest->emulate(data);
}

void advance_vcpu_fault(vm_vcpu_t *vcpu) {
    if (capi::GuestVcpu *guest = faulting(vcpu, "advance_vcpu_fault"))
        guest->advance();
}

void restart_vcpu_fault(vm_vcpu_t *vcpu) {
    if (capi::GuestVcpu *guest = faulting(vcpu, "restart_vcpu_fault"))
        guest->restart();
}

// ---------------------------------------------------------------- registers

int vm_set_thread_context(vm_vcpu_t *vcpu, seL4_UserContext context) {
    capi::GuestVcpu *guest = reachable(vcpu, "vm_set_thread_context");
    if (guest == nullptr)
        return -1;
    const capi::UserContextWords words(context);
    bool all = true;
    for (usize i = 0; i < words.words.size(); ++i) {
        const bool keep = i == capi::UserContextLayout::kSpsr && words.words[i] == 0;
        all = (keep || guest->set_context_word(i, words.words[i])) && all;
    }
    return capi::result_of(guest->machine(), "vm_set_thread_context",
                           all ? nullptr : "the host cannot set every register");
}

int vm_set_thread_context_reg(vm_vcpu_t *vcpu, unsigned int reg, uintptr_t value) {
    constexpr const char *kCall = "vm_set_thread_context_reg";
    capi::GuestVcpu *guest = reachable(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    const bool set = reg < capi::UserContextLayout::kWords && guest->set_context_word(reg, value);
    return capi::result_of(guest->machine(), kCall,
                           set ? nullptr : "there is no such register, or the host cannot set it");
}

int vm_get_thread_context(vm_vcpu_t *vcpu, seL4_UserContext *context) {
    constexpr const char *kCall = "vm_get_thread_context";
    capi::GuestVcpu *guest = reachable(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    if (context == nullptr)
        return capi::fail(guest->machine(), kCall, "context is NULL");
    guest->get_context(*context);
    return 0;
}

int vm_get_thread_context_reg(vm_vcpu_t *vcpu, unsigned int reg, uintptr_t *value) {
    constexpr const char *kCall = "vm_get_thread_context_reg";
    capi::GuestVcpu *guest = reachable(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    if (value == nullptr || reg >= capi::UserContextLayout::kWords)
        return capi::fail(guest->machine(), kCall, "value is NULL, or there is no such register");
    *value = guest->context_word(reg);
    return 0;
}

int vm_set_arm_vcpu_reg(vm_vcpu_t *vcpu, seL4_Word reg, uintptr_t value) {
    constexpr const char *kCall = "vm_set_arm_vcpu_reg";
    capi::GuestVcpu *guest = reachable(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    return capi::result_of(
        guest->machine(), kCall,
        guest->set_vcpu_register(reg, value) ? nullptr : "there is no such register, or the host cannot set it");
}

int vm_get_arm_vcpu_reg(vm_vcpu_t *vcpu, seL4_Word reg, uintptr_t *value) {
    constexpr const char *kCall = "vm_get_arm_vcpu_reg";
    capi::GuestVcpu *guest = reachable(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    const auto now = guest->vcpu_register(reg);
    if (value == nullptr || !now)
        return capi::fail(guest->machine(), kCall, "value is NULL, or there is no such register");
    *value = *now;
    return 0;
}

const char *const hsr_reasons[HSR_MAX_EXCEPTION + 1] = {
    "unknown reason",
    "WFI or WFE",
    "(no such class)",
    "MCR or MRC, coprocessor 15",
    "MCRR or MRRC, coprocessor 15",
    "MCR or MRC, coprocessor 14",
    "LDC or STC, coprocessor 14",
    "SIMD or floating point",
    "VMRS of an ID register",
    "(no such class)",
    "(no such class)",
    "(no such class)",
    "MRRC, coprocessor 14",
    "(no such class)",
    "illegal execution state",
    "(no such class)",
    "(no such class)",
    "SVC in AArch32",
    "HVC in AArch32",
    "SMC in AArch32",
    "(no such class)",
    "SVC in AArch64",
    "HVC in AArch64",
    "SMC in AArch64",
    "system register access",
    "(no such class)",
    "(no such class)",
    "(no such class)",
    "(no such class)",
    "(no such class)",
    "(no such class)",
    "implementation defined",
    "instruction abort from below",
    "instruction abort",
    "misaligned PC",
    "(no such class)",
    "data abort from below",
    "data abort",
    "misaligned stack pointer",
    "(no such class)",
    "floating-point trap in AArch32",
    "(no such class)",
    "(no such class)",
    "(no such class)",
    "floating-point trap in AArch64",
    "(no such class)",
    "(no such class)",
    "SError",
    "breakpoint from below",
    "breakpoint",
    "software step from below",
    "software step",
    "watchpoint from below",
    "watchpoint",
    "(no such class)",
    "(no such class)",
    "BKPT in AArch32",
    "(no such class)",
    "vector catch in AArch32",
    "(no such class)",
    "BRK in AArch64",
    "(no such class)",
    "(no such class)",
    "(no such class)",
};
