/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RAM of the guest: registering it, looking into it, and a small allocator of guest-physical ranges in it. Addresses are multiples
 * of 4 KiB unless a call says otherwise, sizes are rounded up to them.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Sees a part of guest RAM that does not cross a 4 KiB boundary.
 * @param guest_addr  guest-physical address of the part
 * @param vmm_vaddr   where the VMM sees it; valid during the call. The guest may change the bytes at any time.
 * @param size        bytes
 * @param offset      of the part from the start of vm_ram_touch()'s range
 * @return 0 to go on; anything else ends vm_ram_touch() with this value
 */
typedef int (*ram_touch_callback_fn)(vm_t *vm, uintptr_t guest_addr, void *vmm_vaddr, size_t size, size_t offset,
                                     void *cookie);

/** Copies the part out to `buf` + offset, for vm_ram_touch(). */
int vm_guest_ram_read_callback(vm_t *vm, uintptr_t guest_addr, void *vaddr, size_t size, size_t offset, void *buf);

/** Copies `buf` + offset into the part, for vm_ram_touch(). */
int vm_guest_ram_write_callback(vm_t *vm, uintptr_t guest_addr, void *vaddr, size_t size, size_t offset, void *buf);

/**
 * Calls back for each part of [addr, addr + size), in order. Any alignment. While no vCPU runs, or with mem.clean_cache, what
 * the callback wrote is visible to a guest with its caches off.
 * @return -1 before any callback when a byte is not registered RAM
 */
int vm_ram_touch(vm_t *vm, uintptr_t addr, size_t size, ram_touch_callback_fn touch_callback, void *cookie);

/** The largest region that is not allocated. @return -1 when there is none */
int vm_ram_find_largest_free_region(vm_t *vm, uintptr_t *addr, size_t *size);

/** Registers RAM anywhere in the ranges given to vm_memory_make_anon(). @return where it is, 0 for an error */
uintptr_t vm_ram_register(vm_t *vm, size_t bytes);

/**
 * Registers RAM at a place, cleared, in the largest frames that the host has.
 * @param untyped  the machine's physical addresses are to equal the guest's (devices that do DMA without an IOMMU)
 */
int vm_ram_register_at(vm_t *vm, uintptr_t start, size_t bytes, bool untyped);

/**
 * Registers the client's frames as RAM; their contents stay, and the frames remain the client's. All of them without the right to write are RAM that
 * the guest cannot change: its stores are dropped.
 * @return -1 also when they differ in that, or lack the right to read
 */
int vm_ram_register_at_custom_iterator(vm_t *vm, uintptr_t start, size_t bytes, memory_map_iterator_fn map_iterator,
                                       void *cookie);

/** Marks registered RAM as in use, in whole pages of 4 KiB, so that vm_ram_allocate() does not give it out. What is not RAM is left out. */
void vm_ram_mark_allocated(vm_t *vm, uintptr_t start, size_t bytes);

/**
 * Gives out RAM, rounded up to 4 KiB, from the lowest region with room.
 * @return where it is; 0 when there is none, which RAM that begins at 0 cannot be told from: mark its first page before
 */
uintptr_t vm_ram_allocate(vm_t *vm, size_t bytes);

/** Takes back what vm_ram_allocate() or vm_ram_mark_allocated() gave out. It stays registered RAM. */
void vm_ram_free(vm_t *vm, uintptr_t start, size_t bytes);

#ifdef __cplusplus
}
#endif
