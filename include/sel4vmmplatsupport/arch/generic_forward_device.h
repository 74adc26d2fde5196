/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device whose registers are somebody else's: each access becomes a call with the offset of the 32-bit register.
 */
#pragma once

#include <sel4vm/guest_vm.h>
#include <sel4vmmplatsupport/device.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `addr` is the offset in the device, in bytes, a multiple of 4. Called on the thread of vm_run(), during the guest's access. */
typedef void (*forward_write_fn)(uint32_t addr, uint32_t value);
typedef uint32_t (*forward_read_fn)(uint32_t addr);

struct generic_forward_cfg {
    forward_write_fn write_fn; /* NULL: writes do nothing */
    forward_read_fn read_fn;   /* NULL: registers read as zero */
};

/*
 * `d->pstart` (guest-physical) and `d->size` (bytes, below 4 GiB) are the range that traps, both multiples of 8; `d` itself is not kept. A
 * narrow write reads the register first and puts its bytes in; one of 8 bytes is two. 0, or -1: neither function, an impossible range, or one
 * that is taken.
 */
int vm_install_generic_forward_device(vm_t *vm, const struct device *d, struct generic_forward_cfg cfg);

#ifdef __cplusplus
}
#endif
