/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A passed-through device of which the guest may change some bits only. Reads reach the device; of a write, the bits that the
 * mask does not allow keep the device's present value.
 */
#pragma once

#include <sel4vm/guest_vm.h>
#include <sel4vmmplatsupport/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a client starts a mask from. */
enum vacdev_default { VACDEV_DEFAULT_ALLOW, VACDEV_DEFAULT_DENY };

/* What happens to a write of bits that are not allowed. */
enum vacdev_action {
    VACDEV_REPORT_ONLY,     /* one line in the log; the write is performed whole */
    VACDEV_MASK_ONLY,       /* the bits keep their value */
    VACDEV_REPORT_AND_MASK, /* both */
};

/*
 * `mask`: the first `size` bytes of the device, a set bit may be written; the rest of the device may not be written at all. It is
 * used for as long as the VM lives and may be changed. The device's address and size are multiples of 4 KiB. 0 or -1.
 */
int vm_install_generic_ac_device(vm_t *vm, const struct device *d, void *mask, size_t size, enum vacdev_action action);

#ifdef __cplusplus
}
#endif
