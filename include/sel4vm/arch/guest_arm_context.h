/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Registers of a vCPU. They can be reached while it does not execute: before it is started, inside a callback about it, after
 * vm_run() returned with a fault of it, and while the VM is paused or stopped. At other times the calls return -1.
 * Before vcpu_start() they hold what the vCPU will start with.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sets all registers of a seL4_UserContext. `spsr` 0 leaves the mode that reset gives (EL1h, interrupts masked). */
int vm_set_thread_context(vm_vcpu_t *vcpu, seL4_UserContext context);

/** Sets one. @param reg its place in seL4_UserContext, counted in words from `pc` = 0 */
int vm_set_thread_context_reg(vm_vcpu_t *vcpu, unsigned int reg, uintptr_t value);

/** Reads all. Registers that the host cannot tell are 0. */
int vm_get_thread_context(vm_vcpu_t *vcpu, seL4_UserContext *context);

/** Reads one. @param reg as for vm_set_thread_context_reg() */
int vm_get_thread_context_reg(vm_vcpu_t *vcpu, unsigned int reg, uintptr_t *value);

/** Sets a register of seL4_VCPUReg. @return -1 also where the host cannot */
int vm_set_arm_vcpu_reg(vm_vcpu_t *vcpu, seL4_Word reg, uintptr_t value);

/** Reads a register of seL4_VCPUReg. @return -1 also where the host cannot; *value is then unchanged */
int vm_get_arm_vcpu_reg(vm_vcpu_t *vcpu, seL4_Word reg, uintptr_t *value);

#ifdef __cplusplus
}
#endif
