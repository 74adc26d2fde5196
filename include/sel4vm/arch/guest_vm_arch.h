/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is Arm's own in the structures of a VM, and the callbacks for faults of vCPUs. Included by sel4vm/guest_vm.h, which
 * a client includes first.
 */
#pragma once

#include <stdint.h>

#include <sel4/sel4.h>

#include <sel4vm/guest_vm_types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fault fault_t;

/**
 * Serves an SMC of the guest.
 * @param regs  the vCPU's registers; x0 is the function, x1-x7 are arguments. What the callback changes is written back, then
 *              the guest goes on after the instruction.
 * @return 0 when it was served; anything else ends vm_run() with -1 and the vCPU at the instruction
 */
typedef int (*smc_handler_callback_fn)(vm_vcpu_t *vcpu, seL4_UserContext *regs);

/**
 * Decides about an exception of the guest that the library does not serve.
 * @param hsr  the syndrome (ESR_EL2), whole: the register of a trapped system register (Rt) and the immediate of a call, too.
 *             seL4 keeps the immediate of an `hvc` to itself: it is 0 there. Helpers are in sel4vm/arch/processor.h
 * @return 0: taken; advance_vcpu_fault() or restart_vcpu_fault() was called, or will be: until then the vCPU waits.
 *   VM_VCPU_FAULT_UNHANDLED: not this callback's; the VM's fault policy decides.
 *   Anything else ends vm_run() with -1 and the vCPU at the instruction.
 */
typedef int (*unhandled_vcpu_fault_callback_fn)(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie);

#define VM_VCPU_FAULT_UNHANDLED 1

/**
 * The guest's capability space on seL4: its size, and what is in it. It grows with the vCPUs that there can be, so that six slots are left for
 * vmm_install_service(); up to eight vCPUs have libsel4vm's 16.
 */
#if CONFIG_MAX_NUM_NODES <= 8
#define VM_CSPACE_SIZE_BITS 4
#elif CONFIG_MAX_NUM_NODES <= 24
#define VM_CSPACE_SIZE_BITS 5
#elif CONFIG_MAX_NUM_NODES <= 56
#define VM_CSPACE_SIZE_BITS 6
#elif CONFIG_MAX_NUM_NODES <= 120
#define VM_CSPACE_SIZE_BITS 7
#else
#define VM_CSPACE_SIZE_BITS 8
#endif
#define VM_FAULT_EP_SLOT 1
#define VM_CSPACE_SLOT   (VM_FAULT_EP_SLOT + CONFIG_MAX_NUM_NODES)

/** Arm's part of struct vm. */
struct vm_arch {
    smc_handler_callback_fn vm_smc_handler; /**< vm_serve_smc() from vm_init() on */
    struct vm_machine *machine;             /**< the library's own object behind the VM */
};

/** Arm's part of struct vm_vcpu. */
struct vm_vcpu_arch {
    fault_t *fault; /**< the library's own object behind the vCPU, with the fault that is being served */
    unhandled_vcpu_fault_callback_fn unhandled_vcpu_callback;
    void *unhandled_vcpu_callback_cookie;
};

/** Registers who decides about this vCPU's exceptions; NULL for nobody, which leaves them to the VM's fault policy. */
int vm_register_unhandled_vcpu_fault_callback(vm_vcpu_t *vcpu, unhandled_vcpu_fault_callback_fn vcpu_fault_callback,
                                              void *cookie);

/** Registers who serves every SMC, before the library; NULL for the library itself. */
int vm_register_smc_handler_callback(vm_t *vm, smc_handler_callback_fn vm_smc_handler);

/**
 * Addition: what the library does with an SMC by itself, for a callback that serves only some: PSCI, the calling convention's
 * own functions, random numbers; NOT_SUPPORTED for all others. Only from an SMC callback, for its vCPU and registers.
 */
int vm_serve_smc(vm_vcpu_t *vcpu, seL4_UserContext *regs);

#ifdef __cplusplus
}
#endif
