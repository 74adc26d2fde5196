/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Address spaces as tables of functions: the VMM's own (tests/sel4_host/double/vmm_vspace.cpp) and those of guests, which are the
 * host's.
 */
#pragma once

#include <stdbool.h>

#include <vka/object.h>
#include <vka/vka.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct reservation {
    void *res;
} reservation_t;

/* In place of a vka: frames are left alone, or freed with the address space's own. */
extern vka_t vspace_free_marker;
#define VSPACE_PRESERVE NULL
#define VSPACE_FREE     (&vspace_free_marker)

typedef struct vspace vspace_t;
struct vspace {
    void *data;
    void *(*new_pages)(vspace_t *vspace, seL4_CapRights_t rights, size_t count, size_t size_bits);
    void *(*map_pages)(vspace_t *vspace, seL4_CPtr caps[], uintptr_t cookies[], seL4_CapRights_t rights, size_t count,
                       size_t size_bits, int cacheable);
    int (*new_pages_at_vaddr)(vspace_t *vspace, void *at, size_t count, size_t size_bits, reservation_t reservation,
                              bool can_use_device);
    int (*map_pages_at_vaddr)(vspace_t *vspace, seL4_CPtr caps[], uintptr_t cookies[], void *at, size_t count,
                              size_t size_bits, reservation_t reservation);
    int (*deferred_rights_map_pages_at_vaddr)(vspace_t *vspace, seL4_CPtr caps[], uintptr_t cookies[], void *at,
                                              size_t count, size_t size_bits, seL4_CapRights_t rights,
                                              reservation_t reservation);
    void (*unmap_pages)(vspace_t *vspace, void *at, size_t count, size_t size_bits, vka_t *free);
    void (*tear_down)(vspace_t *vspace, vka_t *free);
    reservation_t (*reserve_range_aligned)(vspace_t *vspace, size_t bytes, size_t size_bits, seL4_CapRights_t rights,
                                           int cacheable, void **at);
    reservation_t (*reserve_range_at)(vspace_t *vspace, void *at, size_t bytes, seL4_CapRights_t rights, int cacheable);
    reservation_t (*reserve_deferred_rights_range_at)(vspace_t *vspace, void *at, size_t bytes, int cacheable);
    void (*free_reservation)(vspace_t *vspace, reservation_t reservation);
    void (*free_reservation_by_vaddr)(vspace_t *vspace, void *at);
    seL4_CPtr (*get_cap)(vspace_t *vspace, void *at);
    seL4_CPtr (*get_root)(vspace_t *vspace);
    uintptr_t (*get_cookie)(vspace_t *vspace, void *at);
    int (*share_mem_at_vaddr)(vspace_t *from, vspace_t *to, void *start, int count, size_t size_bits, void *at,
                              reservation_t reservation);
};

static inline void *vspace_new_pages(vspace_t *vspace, seL4_CapRights_t rights, size_t count, size_t size_bits) {
    return vspace->new_pages(vspace, rights, count, size_bits);
}
static inline void *vspace_map_pages(vspace_t *vspace, seL4_CPtr caps[], uintptr_t cookies[], seL4_CapRights_t rights,
                                     size_t count, size_t size_bits, int cacheable) {
    return vspace->map_pages(vspace, caps, cookies, rights, count, size_bits, cacheable);
}
static inline int vspace_new_pages_at_vaddr(vspace_t *vspace, void *at, size_t count, size_t size_bits,
                                            reservation_t reservation) {
    return vspace->new_pages_at_vaddr(vspace, at, count, size_bits, reservation, false);
}
static inline int vspace_map_pages_at_vaddr(vspace_t *vspace, seL4_CPtr caps[], uintptr_t cookies[], void *at,
                                            size_t count, size_t size_bits, reservation_t reservation) {
    return vspace->map_pages_at_vaddr(vspace, caps, cookies, at, count, size_bits, reservation);
}
static inline void vspace_unmap_pages(vspace_t *vspace, void *at, size_t count, size_t size_bits, vka_t *free) {
    vspace->unmap_pages(vspace, at, count, size_bits, free);
}
static inline void vspace_tear_down(vspace_t *vspace, vka_t *free) { vspace->tear_down(vspace, free); }
static inline reservation_t vspace_reserve_range_aligned(vspace_t *vspace, size_t bytes, size_t size_bits,
                                                         seL4_CapRights_t rights, int cacheable, void **at) {
    return vspace->reserve_range_aligned(vspace, bytes, size_bits, rights, cacheable, at);
}
static inline reservation_t vspace_reserve_range_at(vspace_t *vspace, void *at, size_t bytes, seL4_CapRights_t rights,
                                                    int cacheable) {
    return vspace->reserve_range_at(vspace, at, bytes, rights, cacheable);
}
static inline reservation_t vspace_reserve_deferred_rights_range_at(vspace_t *vspace, void *at, size_t bytes,
                                                                    int cacheable) {
    return vspace->reserve_deferred_rights_range_at(vspace, at, bytes, cacheable);
}
static inline void vspace_free_reservation(vspace_t *vspace, reservation_t reservation) {
    vspace->free_reservation(vspace, reservation);
}
static inline void vspace_free_reservation_by_vaddr(vspace_t *vspace, void *at) {
    vspace->free_reservation_by_vaddr(vspace, at);
}
static inline seL4_CPtr vspace_get_cap(vspace_t *vspace, void *at) { return vspace->get_cap(vspace, at); }
static inline seL4_CPtr vspace_get_root(vspace_t *vspace) { return vspace->get_root(vspace); }
static inline uintptr_t vspace_get_cookie(vspace_t *vspace, void *at) { return vspace->get_cookie(vspace, at); }

/* Copies of the pages' capabilities, mapped somewhere in `to`; NULL when that fails. */
void *vspace_share_mem(vspace_t *from, vspace_t *to, void *start, int count, size_t size_bits, seL4_CapRights_t rights,
                       int cacheable);
/* Maps a copy of one page's capability into `to` while `callback(at, where it is in `to`, cookie)` runs; its result, or -1. */
int vspace_access_page_with_callback(vspace_t *from, vspace_t *to, void *at, size_t size_bits, seL4_CapRights_t rights,
                                     int cacheable, int (*callback)(void *at, void *seen, void *cookie), void *cookie);

#ifdef __cplusplus
}
#endif
