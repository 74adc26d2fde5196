// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/guest_vcpu_fault.h, sel4vm/arch/guest_arm_context.h and the table of sel4vm/sel4_arch/processor.h
#include <sel4vm/guest_vcpu_fault.h>

#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/capi/arguments.hpp>

#include <sel4vm/arch/guest_arm_context.h>
#include <sel4vm/sel4_arch/processor.h>

using namespace sel4vm;

namespace {

// Apart, so that what a callback asks about its fault stays short enough to be a part of the callback.
[[gnu::noinline, gnu::cold]] capi::GuestVcpu *refuse(const capi::GuestVcpu &guest, const char *call, const char *why) {
    guest.machine().complain(call, why);
    return nullptr;
}

/// The vCPU whose fault is asked for, or nullptr after a line.
[[gnu::always_inline]] inline capi::GuestVcpu *faulting(vm_vcpu_t *vcpu, const char *call) {
    capi::GuestVcpu *guest = capi::vcpu_of(vcpu, call);
    if (guest != nullptr && !guest->has_fault())
        return refuse(*guest, call, "the vCPU has no fault");
    return guest;
}

/// The vCPU whose registers are asked for, or nullptr after a line.
capi::GuestVcpu *reachable(vm_vcpu_t *vcpu, const char *call) {
    capi::GuestVcpu *guest = capi::vcpu_of(vcpu, call);
    if (guest != nullptr && !guest->is_reachable())
        return refuse(*guest, call, "the vCPU is running");
    return guest;
}

/// -1, after a line.
int no_such_register(const capi::GuestVcpu &guest, const char *call, u64 reg, u64 count) {
    Text<80> why;
    why << "there is no register " << reg << "; the last is " << count - 1;
    return capi::fail(guest.machine(), call, why.view());
}

constexpr const char *class_name(unsigned ec) { return aarch64::to_string(static_cast<aarch64::Ec>(ec)); }

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
    if (reg >= capi::UserContextLayout::kWords)
        return no_such_register(*guest, kCall, reg, capi::UserContextLayout::kWords);
    return capi::result_of(guest->machine(), kCall,
                           guest->set_context_word(reg, value) ? nullptr : "the host cannot set it");
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
    if (value == nullptr)
        return capi::fail(guest->machine(), kCall, "value is NULL");
    if (reg >= capi::UserContextLayout::kWords)
        return no_such_register(*guest, kCall, reg, capi::UserContextLayout::kWords);
    *value = guest->context_word(reg);
    return 0;
}

int vm_set_arm_vcpu_reg(vm_vcpu_t *vcpu, seL4_Word reg, uintptr_t value) {
    constexpr const char *kCall = "vm_set_arm_vcpu_reg";
    capi::GuestVcpu *guest = reachable(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    if (reg >= seL4_VCPUReg_Num)
        return no_such_register(*guest, kCall, reg, seL4_VCPUReg_Num);
    return capi::result_of(guest->machine(), kCall,
                           guest->set_vcpu_register(reg, value) ? nullptr : "the host cannot set it");
}

int vm_get_arm_vcpu_reg(vm_vcpu_t *vcpu, seL4_Word reg, uintptr_t *value) {
    constexpr const char *kCall = "vm_get_arm_vcpu_reg";
    capi::GuestVcpu *guest = reachable(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    if (value == nullptr)
        return capi::fail(guest->machine(), kCall, "value is NULL");
    if (reg >= seL4_VCPUReg_Num)
        return no_such_register(*guest, kCall, reg, seL4_VCPUReg_Num);
    const auto now = guest->vcpu_register(reg);
    if (!now)
        return capi::fail(guest->machine(), kCall, "the host cannot tell it");
    *value = *now;
    return 0;
}

static_assert(HSR_MAX_EXCEPTION == 63);
constinit const char *const hsr_reasons[HSR_MAX_EXCEPTION + 1] = {
    class_name(0),  class_name(1),  class_name(2),  class_name(3),  class_name(4),  class_name(5),  class_name(6),
    class_name(7),  class_name(8),  class_name(9),  class_name(10), class_name(11), class_name(12), class_name(13),
    class_name(14), class_name(15), class_name(16), class_name(17), class_name(18), class_name(19), class_name(20),
    class_name(21), class_name(22), class_name(23), class_name(24), class_name(25), class_name(26), class_name(27),
    class_name(28), class_name(29), class_name(30), class_name(31), class_name(32), class_name(33), class_name(34),
    class_name(35), class_name(36), class_name(37), class_name(38), class_name(39), class_name(40), class_name(41),
    class_name(42), class_name(43), class_name(44), class_name(45), class_name(46), class_name(47), class_name(48),
    class_name(49), class_name(50), class_name(51), class_name(52), class_name(53), class_name(54), class_name(55),
    class_name(56), class_name(57), class_name(58), class_name(59), class_name(60), class_name(61), class_name(62),
    class_name(63),
};
