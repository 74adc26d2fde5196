// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/guest_vm.h and sel4vm/arch/guest_vm_arch.h: running, and who is called back.
#include <sel4vm/guest_vm.h>

#include <sel4vm/capi/arguments.hpp>

#include <cstring>

using namespace sel4vm;

int vm_run(vm_t *vm) {
    capi::Machine *machine = capi::machine_of(vm, "vm_run");
    return machine == nullptr ? -1 : machine->run();
}

int vcpu_start(vm_vcpu_t *vcpu) {
    capi::GuestVcpu *guest = capi::vcpu_of(vcpu, "vcpu_start");
    if (guest == nullptr)
        return -1;
    return capi::result_of(guest->machine(), "vcpu_start", guest->machine().start_vcpu(*guest));
}

int vm_stop(vm_t *vm) {
    capi::Machine *machine = capi::machine_of(vm, "vm_stop");
    if (machine == nullptr)
        return -1;
    if (machine->vm().state() == VmState::stopped)
        return capi::fail(*machine, "vm_stop", "it has stopped already");
    machine->vm().stop(StopReason::client);
    return 0;
}

int vm_pause(vm_t *vm) {
    capi::Machine *machine = capi::machine_of(vm, "vm_pause");
    if (machine == nullptr)
        return -1;
    return capi::result_of(*machine, "vm_pause", machine->pause() ? nullptr : "it does not run");
}

int vm_resume(vm_t *vm) {
    capi::Machine *machine = capi::machine_of(vm, "vm_resume");
    if (machine == nullptr)
        return -1;
    return capi::result_of(*machine, "vm_resume", machine->resume() ? nullptr : "it is not paused");
}

int vm_register_unhandled_mem_fault_callback(vm_t *vm, unhandled_mem_fault_callback_fn fault_handler, void *cookie) {
    if (capi::machine_of(vm, "vm_register_unhandled_mem_fault_callback") == nullptr)
        return -1;
    vm->mem.unhandled_mem_fault_handler = fault_handler;
    vm->mem.unhandled_mem_fault_cookie = cookie;
    return 0;
}

int vm_register_notification_callback(vm_t *vm, notification_callback_fn notification_callback, void *cookie) {
    if (capi::machine_of(vm, "vm_register_notification_callback") == nullptr)
        return -1;
    vm->run.notification_callback = notification_callback;
    vm->run.notification_callback_cookie = cookie;
    return 0;
}

int vm_set_fault_policy(vm_t *vm, vm_fault_policy_t policy) {
    capi::Machine *machine = capi::machine_of(vm, "vm_set_fault_policy");
    if (machine == nullptr)
        return -1;
    // From C any number can come; as an enumeration of C++ it may not even be looked at.
    unsigned number = 0;
    static_assert(sizeof number == sizeof policy);
    std::memcpy(&number, &policy, sizeof number);
    if (number != VM_FAULT_POLICY_INJECT && number != VM_FAULT_POLICY_RETURN)
        return capi::fail(*machine, "vm_set_fault_policy", "there is no such policy");
    machine->set_policy(policy);
    return 0;
}

int vm_register_reset_callback(vm_t *vm, vm_reset_callback_fn reset_callback, void *cookie) {
    capi::Machine *machine = capi::machine_of(vm, "vm_register_reset_callback");
    if (machine == nullptr)
        return -1;
    machine->set_reset_callback(reset_callback, cookie);
    return 0;
}

int vm_register_unhandled_vcpu_fault_callback(vm_vcpu_t *vcpu, unhandled_vcpu_fault_callback_fn vcpu_fault_callback,
                                              void *cookie) {
    if (capi::vcpu_of(vcpu, "vm_register_unhandled_vcpu_fault_callback") == nullptr)
        return -1;
    vcpu->vcpu_arch.unhandled_vcpu_callback = vcpu_fault_callback;
    vcpu->vcpu_arch.unhandled_vcpu_callback_cookie = cookie;
    return 0;
}

int vm_register_smc_handler_callback(vm_t *vm, smc_handler_callback_fn vm_smc_handler) {
    if (capi::machine_of(vm, "vm_register_smc_handler_callback") == nullptr)
        return -1;
    vm->arch.vm_smc_handler = vm_smc_handler != nullptr ? vm_smc_handler : vm_serve_smc;
    return 0;
}

int vm_serve_smc(vm_vcpu_t *vcpu, seL4_UserContext *regs) {
    capi::GuestVcpu *guest = capi::vcpu_of(vcpu, "vm_serve_smc");
    if (guest == nullptr)
        return -1;
    if (regs == nullptr)
        return capi::fail(guest->machine(), "vm_serve_smc", "regs is NULL");
    if (!guest->serve_smc(*regs))
        return capi::fail(guest->machine(), "vm_serve_smc", "this vCPU is in no SMC callback");
    return 0;
}
