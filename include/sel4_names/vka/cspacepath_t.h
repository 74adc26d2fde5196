/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a capability is. On hosts that are not seL4 only capPtr says anything.
 */
#pragma once

#include <sel4/sel4.h>

typedef struct cspacepath {
    seL4_CPtr capPtr;
    seL4_Word capDepth;
    seL4_CNode root;
    seL4_Word dest;
    seL4_Word destDepth;
    seL4_Word offset;
    seL4_Word window;
} cspacepath_t;
