/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU with what a guest operating system expects of one on this architecture.
 */
#pragma once

#include <sel4vm/guest_vm.h>
#include <sel4vmmplatsupport/arch/guest_vcpu_util.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * vm_create_vcpu(), and its exceptions go through vmm_handle_arm_vcpu_exception(). Its interrupts are those of every vCPU
 * (sel4vm/guest_irq_controller.h): the client may register each of them once. NULL on failure.
 */
vm_vcpu_t *create_vmm_plat_vcpu(vm_t *vm, int priority);

#ifdef __cplusplus
}
#endif
