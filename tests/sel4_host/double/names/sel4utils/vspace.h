/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What libsel4utils looks at in an address space that it shares memory with, and how an address space of its kind is made.
 */
#pragma once

#include <vspace/vspace.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int (*sel4utils_map_page_fn)(vspace_t *vspace, seL4_CPtr cap, void *at, seL4_CapRights_t rights, int cacheable,
                                     size_t size_bits);
typedef void (*vspace_allocated_object_fn)(void *cookie, vka_object_t object);

typedef struct sel4utils_alloc_data {
    vka_t *vka;
    void *top_level; /* not NULL while it is open */
    sel4utils_map_page_fn map_page;
} sel4utils_alloc_data_t;

typedef struct sel4utils_res {
    uintptr_t start, end;
    seL4_CapRights_t rights;
    int cacheable;
    bool rights_deferred;
} sel4utils_res_t;

/* The data stay the caller's; vspace_tear_down() closes them. */
int sel4utils_get_empty_vspace_with_map(vspace_t *loader, vspace_t *made, sel4utils_alloc_data_t *data, vka_t *vka,
                                        seL4_CPtr root, vspace_allocated_object_fn told, void *cookie,
                                        sel4utils_map_page_fn map_page);

#ifdef __cplusplus
}
#endif
