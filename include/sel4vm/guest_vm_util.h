/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small readers of the VM's structures. None accepts NULL.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The thread that executes a vCPU; seL4_CapNull on hosts without. */
static inline seL4_CPtr vm_get_vcpu_tcb(vm_vcpu_t *vcpu) { return vcpu->tcb.tcb.cptr; }

/** The host's object of a vCPU; seL4_CapNull when there is no such vCPU. */
static inline seL4_CPtr vm_get_vcpu(vm_t *vm, int vcpu_id) {
    const long long count = vm->num_vcpus;
    if (vcpu_id < 0 || vcpu_id >= count)
        return seL4_CapNull;
    return vm->vcpus[vcpu_id]->vcpu.cptr;
}

/** The vCPU bound to a CPU, or NULL. */
static inline vm_vcpu_t *vm_vcpu_for_target_cpu(vm_t *vm, int target_cpu) {
    for (unsigned int i = 0; i < vm->num_vcpus; i++) {
        if (vm->vcpus[i]->target_cpu == target_cpu)
            return vm->vcpus[i];
    }
    return NULL;
}

/** The first vCPU that is bound to no CPU, or NULL. */
static inline vm_vcpu_t *vm_find_free_unassigned_vcpu(vm_t *vm) { return vm_vcpu_for_target_cpu(vm, -1); }

static inline bool is_vcpu_online(vm_vcpu_t *vcpu) { return vcpu->vcpu_online; }

/** The guest-physical address space; on seL4 with the functions of <vspace/vspace.h> (docs/using-on-sel4.md). */
static inline vspace_t *vm_get_vspace(vm_t *vm) { return &vm->mem.vm_vspace; }

/** The VMM's own address space. */
static inline vspace_t *vm_get_vmm_vspace(vm_t *vm) { return &vm->mem.vmm_vspace; }

#ifdef __cplusplus
}
#endif
