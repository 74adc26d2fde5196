/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The allocator of slots and objects, one of tests/sel4_host/double.
 */
#pragma once

#include <sel4/sel4.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cspacepath {
    seL4_CPtr capPtr;
    seL4_Word capDepth;
    seL4_CNode root;
    seL4_Word dest, destDepth, offset, window;
} cspacepath_t;

typedef struct vka {
    void *data;
} vka_t;

/* `ut` is not 0 for what the allocator made. */
typedef struct vka_object {
    seL4_CPtr cptr;
    seL4_Word ut, type, size_bits;
} vka_object_t;

/* No particular physical address. */
#define VKA_NO_PADDR 1ul

void vka_utspace_free(vka_t *vka, seL4_Word type, seL4_Word size_bits, seL4_Word ut);
int vka_cspace_alloc(vka_t *vka, seL4_CPtr *slot);
void vka_cspace_free(vka_t *vka, seL4_CPtr slot);
void vka_cspace_make_path(vka_t *vka, seL4_CPtr slot, cspacepath_t *path);
int vka_cspace_alloc_path(vka_t *vka, cspacepath_t *path);
static inline void vka_cspace_free_path(vka_t *vka, cspacepath_t path) { vka_cspace_free(vka, path.capPtr); }

#ifdef __cplusplus
}
#endif
