/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the kernel gave its first thread.
 */
#pragma once

#include <vka/vka.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct simple {
    void *data;
} simple_t;

seL4_Error simple_ASIDPool_assign(simple_t *simple, seL4_CPtr vspace);
seL4_Error simple_get_frame_cap(simple_t *simple, void *paddr, int size_bits, cspacepath_t *path);
seL4_CPtr simple_get_tcb(simple_t *simple);
seL4_CPtr simple_get_sched_ctrl(simple_t *simple, int core);
int simple_get_core_count(simple_t *simple);

#ifdef __cplusplus
}
#endif
