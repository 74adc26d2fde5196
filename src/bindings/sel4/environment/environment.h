/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this folder share: the one environment of a root task, behind vm_host_t.
 */
#pragma once

#include <sel4vm/host.h>

#include <sel4utils/vspace.h>

#include <bindings/sel4/environment/console.h>
#include <bindings/sel4/environment/timeouts.h>

/* Before there is virtual memory to grow in, allocman lives in the first; then in the second. */
#define EARLY_POOL_BYTES   (1u << 22)
#define VIRTUAL_POOL_BYTES (1ul << 28)

struct environment {
    sel4utils_alloc_data_t vspace_data;
    vka_object_t endpoint;
    vka_object_t notification;
    bool bound;
    struct console console;
    struct timeouts timeouts;
    char early_pool[EARLY_POOL_BYTES];
};
