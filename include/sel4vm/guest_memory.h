/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Guest-physical memory: ranges that the client reserves, with a callback for the accesses that fault, and frames that it
 * maps there. RAM is in sel4vm/guest_ram.h. Addresses and sizes are in bytes; a range must not be empty or wrap, and overlaps
 * no RAM, no interrupt controller and no other reservation. A range may begin and end anywhere. Frames cover whole pages: those
 * that are mapped to a part of a page take all of it, which must be free.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <sel4/sel4.h>

#include <sel4vm/arch/guest_memory_arch.h>
#include <sel4vm/guest_vm_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A frame of the client, as a page provider describes it. */
typedef struct vm_frame {
    seL4_CPtr cptr;          /**< the frame; seL4_CapNull: there is none, which fails the mapping */
    seL4_CapRights_t rights; /**< what the guest may do; it may always execute what it may read */
    uintptr_t vaddr;         /**< guest-physical address, a multiple of the frame's size */
    size_t size_bits;        /**< log2 of its bytes: 12, 21 or 30 */
} vm_frame_t;

/** What a fault callback did. */
typedef enum memory_fault_result {
    FAULT_HANDLED, /**< taken: advance_vcpu_fault() or restart_vcpu_fault() was called, or will be: until then the vCPU waits */
    FAULT_UNHANDLED, /**< not mine: a reservation's callback passes on to the unhandled-fault callback, then to the policy */
    FAULT_RESTART, /**< execute the instruction again: what it needs is mapped now */
    FAULT_IGNORE,  /**< skip it: a read gives 0, a write is dropped */
    FAULT_ERROR    /**< vm_run() returns -1 with VM_GUEST_ERROR_EXIT, the vCPU at the instruction */
} memory_fault_result_t;

/**
 * Decides about a fault in a reservation. The callback may map, reserve and free memory, its own reservation included.
 * @param fault_addr    guest-physical
 * @param fault_length  bytes accessed: 1, 2, 4 or 8; 0 when the instruction cannot be told
 */
typedef memory_fault_result_t (*memory_fault_callback_fn)(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t fault_addr,
                                                          size_t fault_length, void *cookie);

/**
 * A page provider: the frame for guest-physical `addr`. A frame larger than 4 KiB covers all its addresses, and must lie
 * inside the range being mapped. It cannot free the reservation that it is asked about.
 */
typedef vm_frame_t (*memory_map_iterator_fn)(uintptr_t addr, void *cookie);

typedef struct vm_memory_reservation vm_memory_reservation_t;
typedef struct vm_memory_reservation_cookie vm_memory_reservation_cookie_t;

/** Reserves [addr, addr + size). @param fault_callback not NULL */
vm_memory_reservation_t *vm_reserve_memory_at(vm_t *vm, uintptr_t addr, size_t size,
                                              memory_fault_callback_fn fault_callback, void *cookie);

/**
 * Reserves `size` bytes anywhere in the ranges given to vm_memory_make_anon().
 * @param align  a power of two of bytes; 0 for 4 KiB
 * @param addr   where it is
 */
vm_memory_reservation_t *vm_reserve_anon_memory(vm_t *vm, size_t size, size_t align,
                                                memory_fault_callback_fn fault_callback, void *cookie, uintptr_t *addr);

/** Declares [addr, addr + size) as a place for anonymous reservations and RAM. It overlaps no other such range. */
int vm_memory_make_anon(vm_t *vm, uintptr_t addr, size_t size);

/** Unmaps what is mapped there, and frees the reservation; anonymous ones, too. The frames remain the client's. */
int vm_free_reserved_memory(vm_t *vm, vm_memory_reservation_t *reservation);

/**
 * Maps frames over all of the reservation: now, or, where the VM was made with vm_options_t.defer_memory_map, each at the
 * guest's first access to it. On an error nothing stays mapped.
 */
int vm_map_reservation(vm_t *vm, vm_memory_reservation_t *reservation, memory_map_iterator_fn map_iterator,
                       void *cookie);

/**
 * Maps an array of frames of one size from the start of the reservation on. The array is copied; frames behind the end of the
 * reservation are left alone.
 * @param frame_size_bits  12, 21 or 30
 */
int vm_map_reservation_frames(vm_t *vm, vm_memory_reservation_t *reservation, seL4_CPtr *frames, size_t num_frames,
                              size_t frame_size_bits);

/** Where it is. Either result may be NULL. */
void vm_get_reservation_memory_region(vm_memory_reservation_t *reservation, uintptr_t *addr, size_t *size);

/** vm_init() has done it. @return 0 for a VM that is initialised */
int vm_memory_init(vm_t *vm);

#ifdef __cplusplus
}
#endif
