/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IOMMU domains that see the guest's memory.
 */
#pragma once

#include <sel4/sel4.h>
#include <vka/vka.h>
#include <vspace/vspace.h>

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Mirrors every mapping of guest memory made from now on into an IOMMU domain.
 * @param loader   the VMM's address space
 * @param iospace  the domain
 * @return -1 also where there is no IOMMU, and when guest memory is mapped already
 */
int vm_guest_add_iospace(vm_t *vm, vspace_t *loader, seL4_CPtr iospace);

#ifdef __cplusplus
}
#endif
