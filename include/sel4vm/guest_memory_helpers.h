/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fault callbacks that are ready for use.
 */
#pragma once

#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** For memory where no access should ever fault: logs it and returns FAULT_ERROR. */
memory_fault_result_t default_error_fault_callback(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t fault_addr, size_t fault_length,
                                                   void *cookie);

#ifdef __cplusplus
}
#endif
