/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The object allocator of the C interface on hosts that are not seL4. A client passes a vka_t around and calls the
 * functions of vka/object.h; vm_host_open() fills it. The members are the host's.
 */
#pragma once

#include <sel4/sel4.h>
#include <vka/cspacepath_t.h>

/** An object and what frees it. `cptr` is the handle; the rest belongs to the allocator. */
typedef struct vka_object {
    seL4_CPtr cptr;
    seL4_Word ut;
    seL4_Word type;
    seL4_Word size_bits;
} vka_object_t;

/** Asks for an object anywhere in physical memory. */
#define VKA_NO_PADDR 1

typedef struct vka {
    void *data;
    /** 0, or -1 and *result zeroed. `paddr`: the physical address wanted, or VKA_NO_PADDR. */
    int (*alloc_object)(void *data, seL4_Word type, seL4_Word size_bits, uintptr_t paddr, vka_object_t *result);
    void (*free_object)(void *data, vka_object_t *object);
    /** The physical address of a frame, or VKA_NO_PADDR. */
    uintptr_t (*object_paddr)(void *data, const vka_object_t *object);
} vka_t;
