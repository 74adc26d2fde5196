/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the C examples of docs/reference take for granted, as parameters of the function that each example becomes.
 */
#pragma once

#include <sel4vm/boot.h>
#include <sel4vm/guest_ram.h>
#include <sel4vm/guest_vcpu_fault.h>
#include <sel4vm/host.h>

#define SEL4VM_REFERENCE_BEGIN
#define SEL4VM_REFERENCE_END
#define SEL4VM_REFERENCE_PARAMETERS vm_t *vm, vm_vcpu_t *vcpu, vm_host_t *host
