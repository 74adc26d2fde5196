/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An address space, on hosts that are not seL4: opaque to clients. vm_host_open() fills the VMM's, vm_init() the guest's.
 */
#pragma once

#include <sel4/sel4.h>
#include <vka/object.h>

typedef struct vspace vspace_t;

struct vspace {
    void *data;
};
