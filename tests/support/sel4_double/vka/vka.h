/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <sel4/sel4.h>
#include <stdbool.h>
typedef struct cspacepath {
    seL4_CPtr capPtr;
    seL4_Word capDepth;
    seL4_CNode root;
    seL4_Word dest, destDepth, offset, window;
} cspacepath_t;
typedef struct vka {
    void *data;
} vka_t;
typedef struct vka_object {
    seL4_CPtr cptr;
    seL4_Word ut, type, size_bits;
} vka_object_t;
int vka_cspace_alloc(vka_t *vka, seL4_CPtr *slot);
void vka_cspace_free(vka_t *vka, seL4_CPtr slot);
void vka_cspace_make_path(vka_t *vka, seL4_CPtr slot, cspacepath_t *path);
