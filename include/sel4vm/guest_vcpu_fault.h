/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The fault that a callback decides about, or that vm_run() returned with. Without a fault the readers give 0 and the others
 * change nothing.
 *
 * Data is as on a bus of 32-bit words: a byte or halfword is at the lanes that the low two bits of the address choose.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <sel4/sel4.h>

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Guest-physical address of the access. */
seL4_Word get_vcpu_fault_address(vm_vcpu_t *vcpu);

/** Guest-virtual address of the instruction. */
seL4_Word get_vcpu_fault_ip(vm_vcpu_t *vcpu);

/** Of a store: the value in the low bits (not shifted to its lanes). Of a read: what set_vcpu_fault_data() set. */
seL4_Word get_vcpu_fault_data(vm_vcpu_t *vcpu);

/** The bits accessed, shifted by 8 for each of the address's low two bits. */
seL4_Word get_vcpu_fault_data_mask(vm_vcpu_t *vcpu);

/** Bytes accessed: 1, 2, 4 or 8; 0 when the instruction cannot be told, which then cannot be emulated. */
size_t get_vcpu_fault_size(vm_vcpu_t *vcpu);

/** True for a load and an instruction fetch. */
bool is_vcpu_read_fault(vm_vcpu_t *vcpu);

/** Sets what a load gives: the word with the value at its lanes. @return -1 without a fault */
int set_vcpu_fault_data(vm_vcpu_t *vcpu, seL4_Word data);

/**
 * Of a store: `data`, a register's old contents, with the bits of the access replaced. Of a load: `data` with its low bits
 * replaced by the value that set_vcpu_fault_data() set.
 */
seL4_Word emulate_vcpu_fault(vm_vcpu_t *vcpu, seL4_Word data);

/**
 * Finishes the instruction: a load gets its data, extended as the instruction says, and the guest goes on behind it. An
 * instruction that cannot be told (size 0) cannot be finished: the guest gets an external abort.
 */
void advance_vcpu_fault(vm_vcpu_t *vcpu);

/** Executes the instruction again: takes back an advance_vcpu_fault() of the same fault. */
void restart_vcpu_fault(vm_vcpu_t *vcpu);

#ifdef __cplusplus
}
#endif
