/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counts what is taken from a host's vka and vspace, and from the C library's heap, and what is given back. The functions of both
 * interfaces are replaced where they are, so that libraries that keep a pointer to them are counted, too.
 */
#pragma once

#include <sel4vm/host.h>

typedef struct accounts {
    long slots;        /* of the capability space */
    long objects;      /* of kernel memory */
    long object_bytes; /* of those whose size is told */
    long reservations; /* in the VMM's address space */
    long pages;        /* mapped there, each counted as one whatever its size */
    long blocks;       /* of the heap */
} accounts_t;

void accounting_begin(vm_host_t *host);
void accounting_end(vm_host_t *host);
accounts_t accounting_now(void);
/* Bytes that can be had as untyped memory, found by having them. */
unsigned long accounting_free_bytes(vm_host_t *host);
