/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The description of the environment, on hosts that are not seL4: opaque to clients, filled by vm_host_open().
 */
#pragma once

#include <sel4/sel4.h>

typedef struct simple_t {
    void *data;
    /** How many CPUs the host runs vCPUs on. */
    int (*core_count)(void *data);
} simple_t;

/** How many CPUs the host runs vCPUs on; -1 where `simple` was not filled. */
static inline int simple_get_core_count(simple_t *simple) {
    return simple == NULL || simple->core_count == NULL ? -1 : simple->core_count(simple->data);
}
