/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the guest's physical addresses to the machine's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <sel4vm/guest_vm_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The machine's physical address behind `size` bytes from guest-physical `ipa_base`.
 * @return 0 when a byte of it is not mapped, or when it is not contiguous
 */
uintptr_t vm_arm_ipa_to_pa(vm_t *vm, uintptr_t ipa_base, size_t size);

#ifdef __cplusplus
}
#endif
