/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <vka/vka.h>
typedef struct simple {
    void *data;
} simple_t;
seL4_Error simple_ASIDPool_assign(simple_t *simple, seL4_CPtr vspace);
seL4_Error simple_get_frame_cap(simple_t *simple, void *paddr, int size_bits, cspacepath_t *path);
