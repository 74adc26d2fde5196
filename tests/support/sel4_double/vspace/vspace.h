/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The VMM's own address space.
 */
#pragma once

#include <vka/vka.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vspace {
    void *data;
} vspace_t;
typedef struct reservation {
    void *res;
} reservation_t;

#define VSPACE_PRESERVE NULL

reservation_t vspace_reserve_range_aligned(vspace_t *vspace, size_t bytes, size_t size_bits, seL4_CapRights_t rights,
                                           int cacheable, void **vaddr);
int vspace_map_pages_at_vaddr(vspace_t *vspace, seL4_CPtr caps[], uintptr_t cookies[], void *vaddr, size_t count,
                              size_t size_bits, reservation_t reservation);
void *vspace_map_pages(vspace_t *vspace, seL4_CPtr caps[], uintptr_t cookies[], seL4_CapRights_t rights, size_t count,
                       size_t size_bits, int cacheable);
void vspace_unmap_pages(vspace_t *vspace, void *vaddr, size_t count, size_t size_bits, vka_t *vka);
void vspace_free_reservation(vspace_t *vspace, reservation_t reservation);

#ifdef __cplusplus
}
#endif
