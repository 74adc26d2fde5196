/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A description of one memory-mapped device of a guest, and a list of them. Finding a device in the list is a search by
 * address; the list holds copies.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct device {
    const char *name;
    seL4_Word pstart; /* guest-physical address, and for passed-through devices the host's */
    seL4_Word size;   /* bytes */
    /*
     * What a fault in the range does, for clients that dispatch through a list, which the library does not: `addr` is guest-physical, `len` the
     * bytes accessed. Returns 0 or -1.
     */
    int (*handle_device_fault)(vm_t *vm, vm_vcpu_t *vcpu, struct device *dev, uintptr_t addr, size_t len);
    void *priv; /* the client's */
};

typedef struct device_list {
    struct device *devices; /* sorted by address */
    int num_devices;
} device_list_t;

/* Empties a list that was never used. 0, or -1 for no list. */
int device_list_init(device_list_t *list);

/* Adds a copy of `d`. -1 when memory runs out, or when `d` is empty, wraps, or overlaps one that is there. */
int add_device(device_list_t *dev_list, const struct device *d);

/* The device whose range holds `addr`, or NULL. Valid until the next add_device(). */
struct device *find_device_by_pa(device_list_t *dev_list, uintptr_t addr);

#ifdef __cplusplus
}
#endif
