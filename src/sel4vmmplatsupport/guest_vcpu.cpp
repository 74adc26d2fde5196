// SPDX-License-Identifier: BSD-2-Clause
//
// A vCPU for a guest operating system, its first registers, and what its client does about exceptions and resets.
#include <sel4vmmplatsupport/arch/guest_boot_init.h>
#include <sel4vmmplatsupport/arch/guest_reboot.h>
#include <sel4vmmplatsupport/arch/guest_vcpu_fault.h>
#include <sel4vmmplatsupport/guest_vcpu_util.h>

#include <sel4vmmplatsupport/log.hpp>

#include <sel4vm/arch/guest_arm_context.h>
#include <sel4vm/arch/processor.h>
#include <sel4vm/boot.h>
#include <sel4vm/guest_irq_controller.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <limits>

using namespace sel4vm::platsupport;

namespace {

// The interface registers handlers for the whole program: the one thing here that is not a VM's own.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
constinit std::array<std::atomic<vcpu_exception_handler_fn>, HSR_MAX_EXCEPTION + 1> exception_handlers{};

int run_hooks(vm_t *vm, void *list) {
    return vmm_process_reboot_callbacks(vm, static_cast<reboot_hooks_list_t *>(list));
}

} // namespace

extern "C" {

vm_vcpu_t *create_vmm_plat_vcpu(vm_t *vm, int priority) {
    vm_vcpu_t *vcpu = vm_create_vcpu(vm, priority);
    if (vcpu == nullptr)
        return nullptr;
    // Its interrupts (SGIs, the virtual timer) are the library's own, and free for the client to register.
    return vm_register_unhandled_vcpu_fault_callback(vcpu, vmm_handle_arm_vcpu_exception, nullptr) == 0 ? vcpu
                                                                                                        : nullptr;
}

int vcpu_set_bootargs(vm_vcpu_t *vcpu, seL4_Word pc, seL4_Word, seL4_Word atags) {
    if (vcpu == nullptr)
        return refuse(nullptr, "vcpu_set_bootargs: there is no vCPU");
    seL4_UserContext context{};
    context.pc = pc;
    context.x0 = atags;
    return vm_set_thread_context(vcpu, context);
}

int vmm_handle_arm_vcpu_exception(vm_vcpu_t *vcpu, uint32_t hsr, void *) {
    const vcpu_exception_handler_fn handler = exception_handlers[HSR_EXCEPTION_CLASS(hsr)];
    return handler == nullptr ? VM_VCPU_FAULT_UNHANDLED : handler(vcpu, hsr);
}

int register_arm_vcpu_exception_handler(uint32_t ec_class, vcpu_exception_handler_fn exception_handler) {
    if (ec_class > HSR_MAX_EXCEPTION)
        return refuse(nullptr, "register_arm_vcpu_exception_handler: there is no exception class ", ec_class);
    exception_handlers[ec_class] = exception_handler;
    return 0;
}

int vmm_init_reboot_hooks_list(reboot_hooks_list_t *rb_hooks_list) {
    if (rb_hooks_list == nullptr)
        return refuse(nullptr, "vmm_init_reboot_hooks_list: there is no list");
    *rb_hooks_list = {nullptr, 0};
    return 0;
}

int vmm_register_reboot_callback(reboot_hooks_list_t *rb_hooks_list, reboot_hook_fn hook, void *token) {
    if (rb_hooks_list == nullptr || hook == nullptr)
        return refuse(nullptr, "vmm_register_reboot_callback: an argument is missing");
    const size_t count = rb_hooks_list->nhooks;
    if (count >= std::numeric_limits<size_t>::max() / sizeof(reboot_hook_t))
        return -1;
    void *moved = std::realloc(rb_hooks_list->rb_hooks, (count + 1) * sizeof(reboot_hook_t));
    if (moved == nullptr)
        return refuse(nullptr, "vmm_register_reboot_callback: no memory");
    rb_hooks_list->rb_hooks = static_cast<reboot_hook_t *>(moved);
    rb_hooks_list->rb_hooks[count] = {hook, token};
    rb_hooks_list->nhooks = count + 1;
    return 0;
}

int vmm_process_reboot_callbacks(vm_t *vm, reboot_hooks_list_t *rb_hooks_list) {
    if (rb_hooks_list == nullptr)
        return refuse(vm, "vmm_process_reboot_callbacks: there is no list");
    for (size_t i = 0; i < rb_hooks_list->nhooks; ++i) {
        const reboot_hook_t hook = rb_hooks_list->rb_hooks[i];
        if (hook.fn == nullptr || hook.fn(vm, hook.token) != 0)
            return refuse(vm, "reboot callback ", sel4vm::u64{i}, " failed");
    }
    return 0;
}

int vmm_set_reboot_hooks(vm_t *vm, reboot_hooks_list_t *rb_hooks_list) {
    if (vm == nullptr || rb_hooks_list == nullptr)
        return refuse(vm, "vmm_set_reboot_hooks: an argument is missing");
    return vm_register_reset_callback(vm, run_hooks, rb_hooks_list);
}

} // extern "C"
