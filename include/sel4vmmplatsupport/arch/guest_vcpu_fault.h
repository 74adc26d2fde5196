/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU does with an exception that the library leaves to its client, by the exception class of its syndrome
 * (sel4vm/arch/processor.h). The table is one for all VMs of the program.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As unhandled_vcpu_fault_callback_fn: 0 when it is served, VM_VCPU_FAULT_UNHANDLED to leave it to the fault policy. */
typedef int (*vcpu_exception_handler_fn)(vm_vcpu_t *vcpu, uint32_t hsr);

/* An unhandled_vcpu_fault_callback_fn that looks into the table; classes without a handler are left to the fault policy. */
int vmm_handle_arm_vcpu_exception(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie);

/* Replaces the handler of a class (0 to 63); NULL takes it away again. 0, or -1 for a class that cannot be. */
int register_arm_vcpu_exception_handler(uint32_t ec_class, vcpu_exception_handler_fn exception_handler);

#ifdef __cplusplus
}
#endif
