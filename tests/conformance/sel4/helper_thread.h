/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A thread that watches the counter and then signals. Where the kernel traps WFI its priority is the lowest: it has the CPU only
 * while the VMM waits for a message and every vCPU is blocked. Elsewhere it takes turns with vCPUs, which wait without the kernel
 * knowing. A timeout source for tests, and somebody else who signals.
 */
#pragma once

#include <sel4vm/host.h>

typedef struct helper_thread {
    vm_host_t *host;
    vka_object_t tcb;
    vka_object_t context; /* MCS */
    seL4_CPtr signal;
    _Alignas(16) char stack[1024];
} helper_thread_t;

/* 0 on success. Signals `badge`. */
int helper_open(helper_thread_t *helper, vm_host_t *host, seL4_Word badge);
void helper_close(helper_thread_t *helper);
/* Signals when the counter reaches `ticks`; the last call wins. As vm_timeout_source_t has it. */
int helper_set(void *helper, uint64_t ticks);
void helper_cancel(void *helper);

/* The counter that the library reads, and its rate. */
uint64_t helper_now(void);
uint64_t helper_rate(void);
