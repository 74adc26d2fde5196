/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities that a guest may call itself.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Puts a copy of `service` with `badge` at `index` of the guest's own capability space, which has 1 << VM_CSPACE_SIZE_BITS slots. 0, or -1 for
 * an index that is outside or taken (VM_CSPACE_SLOT and below are the library's), no capability, and on hosts whose guests have no
 * capability space.
 */
int vmm_install_service(vm_t *vm, seL4_CPtr service, int index, uint32_t badge);

#ifdef __cplusplus
}
#endif
