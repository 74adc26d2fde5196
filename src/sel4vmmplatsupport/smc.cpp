// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vmmplatsupport/arch/service.h>
#include <sel4vmmplatsupport/arch/smc.h>

#include <sel4vmmplatsupport/log.hpp>

#include <array>
#include <limits>

using namespace sel4vm::platsupport;

namespace {

using Argument = seL4_Word seL4_UserContext::*;
constexpr std::array<Argument, 8> kArguments{&seL4_UserContext::x0, &seL4_UserContext::x1, &seL4_UserContext::x2,
                                             &seL4_UserContext::x3, &seL4_UserContext::x4, &seL4_UserContext::x5,
                                             &seL4_UserContext::x6, &seL4_UserContext::x7};

} // namespace

extern "C" {

seL4_Word smc_get_function_id(seL4_UserContext *u) { return u->x0; }

seL4_Word smc_set_return_value(seL4_UserContext *u, seL4_Word val) {
    u->x0 = val;
    return val;
}

seL4_Word smc_get_arg(seL4_UserContext *u, seL4_Word arg) {
    return arg == 0 || arg >= kArguments.size() ? 0 : u->*kArguments[arg];
}

void smc_set_arg(seL4_UserContext *u, seL4_Word arg, seL4_Word val) {
    if (arg != 0 && arg < kArguments.size())
        u->*kArguments[arg] = val;
}

int smc_forward(vm_vcpu_t *vcpu, seL4_UserContext *regs, seL4_ARM_SMC smc_cap) {
    if (vcpu == nullptr || regs == nullptr || smc_cap == seL4_CapNull)
        return refuse(nullptr, "smc_forward: an argument is missing");
    std::array<sel4vm::u64, 8> values;
    for (sel4vm::usize i = 0; i < values.size(); ++i)
        values[i] = regs->*kArguments[i];
    if (!call_monitor(*vcpu->vm, smc_cap, values))
        return refuse(vcpu->vm, "smc_forward: this host cannot call the secure monitor for a guest");
    for (sel4vm::usize i = 0; i < values.size(); ++i)
        regs->*kArguments[i] = values[i];
    return 0;
}

int vm_smc_handle_default(vm_vcpu_t *vcpu, seL4_UserContext *regs) { return vm_serve_smc(vcpu, regs); }

int vmm_install_service(vm_t *vm, seL4_CPtr service, int index, uint32_t badge) {
    if (vm == nullptr || service == seL4_CapNull)
        return refuse(vm, "vmm_install_service: an argument is missing");
    if (index <= VM_CSPACE_SLOT || index >= 1 << VM_CSPACE_SIZE_BITS)
        return refuse(vm, "vmm_install_service: slot ", index, " is not free for services");
    if (!install_service(*vm, service, static_cast<seL4_Word>(index), badge))
        return refuse(vm, "vmm_install_service: the capability could not be copied into the guest's space");
    return 0;
}

} // extern "C"
