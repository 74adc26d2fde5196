/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ready-made ways to put memory behind a reservation (sel4vm/guest_memory.h). All work in pages of 4 KiB.
 */
#pragma once

#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Reserves the page at `addr` and puts a fresh frame behind it that guest (with `rights`) and VMM share. What the rights do not allow
 * goes to the callback. Returns where the VMM sees it, or NULL.
 */
void *create_allocated_reservation_frame(vm_t *vm, uintptr_t addr, seL4_CapRights_t rights,
                                         memory_fault_callback_fn alloc_fault_callback, void *alloc_fault_cookie);

/* The same with the device page whose physical address is `addr`. */
void *create_device_reservation_frame(vm_t *vm, uintptr_t addr, seL4_CapRights_t rights,
                                      memory_fault_callback_fn fault_callback, void *fault_cookie);

/* Puts the physical pages from `paddr` on behind the whole reservation. 0 or -1. */
int map_ut_alloc_reservation_with_base_paddr(vm_t *vm, uintptr_t paddr, vm_memory_reservation_t *reservation);

/* The same with the physical pages of the reservation's own guest-physical addresses. */
int map_ut_alloc_reservation(vm_t *vm, vm_memory_reservation_t *reservation);

/* Fresh frames of RAM. */
int map_frame_alloc_reservation(vm_t *vm, vm_memory_reservation_t *reservation);

/* For each page, the physical page of the same address where the host has a device there, otherwise fresh RAM. */
int map_maybe_device_reservation(vm_t *vm, vm_memory_reservation_t *reservation);

#ifdef __cplusplus
}
#endif
