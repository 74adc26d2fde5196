/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timeout source for root tasks on MCS kernels: a thread whose scheduling context has its next budget when the timeout is due.
 */
#pragma once

#include <sel4vm/host.h>

#define TIMEOUT_STACK_BYTES 1024

struct timeouts {
    vm_host_t *host;
    vka_object_t tcb;
    vka_object_t context;
    seL4_CPtr signal; /* 0: not open */
    uint64_t budget;  /* microseconds; the least that the kernel accepts */
    _Alignas(16) char stack[TIMEOUT_STACK_BYTES];
};

/* Gives its objects back; does nothing when it is not open. */
void timeouts_close(struct timeouts *timeouts);
