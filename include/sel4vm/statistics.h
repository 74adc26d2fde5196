/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a VM is doing, and what its vCPUs have done: for people and for supervision. An extension of this library; libsel4vm has no such header.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a vCPU leaves its guest, as the library sees it. */
typedef enum vm_exit_kind {
    VM_EXIT_KICKED,          /**< nothing of the guest's: somebody wanted the vCPU to look */
    VM_EXIT_MEMORY,          /**< an access to what is not mapped: a device, a reservation, RAM at its first touch */
    VM_EXIT_SYSTEM_REGISTER, /**< a trapped system register */
    VM_EXIT_HYPERCALL,       /**< hvc or smc */
    VM_EXIT_WAIT,            /**< wfi or wfe */
    VM_EXIT_IRQ_SERVICE, /**< the interrupt hardware wants to be served: an interrupt has ended, a timer has fired */
    VM_EXIT_PORT,        /**< an I/O port, where the architecture has some */
    VM_EXIT_UNDEFINED,   /**< an instruction that nobody emulates */
    VM_EXIT_DEBUG,       /**< a breakpoint, a watchpoint, a step */
    VM_EXIT_UNKNOWN,     /**< anything else */
    VM_EXIT_KINDS        /**< how many there are */
} vm_exit_kind_t;

typedef struct vm_vcpu_statistics {
    uint64_t exits[VM_EXIT_KINDS]; /**< how often, by vm_exit_kind_t */
    int has_times;                 /**< 0 where the host does not count them (all but el2): the others are then 0 */
    uint64_t running_ns; /**< it had its CPU: in the guest, in the library, in the client's callbacks. Nanoseconds */
    uint64_t waiting_ns; /**< its guest waited for an interrupt */
    uint64_t stolen_ns;  /**< it could have run, and others did */
    int has_interrupts;  /**< 0 where the host's own interrupt controller delivers them (KVM): the next is then 0 */
    uint64_t
        interrupts; /**< how many were put before its guest: each again that was taken back for a more urgent one */
    uint64_t
        kicks; /**< how often somebody wanted it to look: for an interrupt, a pause, a reset, a stop, a change of the bus */
} vm_vcpu_statistics_t;

/**
 * What a vCPU has done since it was made. From the VM's thread, also inside a callback.
 * @return -1 when an argument is NULL or no vCPU
 */
int vm_get_vcpu_statistics(vm_vcpu_t *vcpu, vm_vcpu_statistics_t *statistics);

/** "memory" and so on; NULL for a number that is no vm_exit_kind_t. */
const char *vm_exit_kind_name(unsigned int kind);

/** "running", "paused", "stopped" ...: for people; NULL when `vm` is no VM. */
const char *vm_state_name(vm_t *vm);

#ifdef __cplusplus
}
#endif
