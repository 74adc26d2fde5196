/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers with which a guest's first vCPU starts.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The vCPU will start at `pc` at EL1 with its caches and translation off, with x0 = `atags`, the device tree's address, and
 * x1 to x3 zero, as arm64 Linux wants it. `mach_type` belongs to 32-bit guests and is ignored. 0 or -1.
 */
int vcpu_set_bootargs(vm_vcpu_t *vcpu, seL4_Word pc, seL4_Word mach_type, seL4_Word atags);

#ifdef __cplusplus
}
#endif
