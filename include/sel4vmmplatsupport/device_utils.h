/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three ways to give a guest the range of a device without emulating one. Addresses and sizes are multiples of 4 KiB.
 * Each returns 0, or -1 with nothing left behind.
 */
#pragma once

#include <sel4vm/guest_vm.h>
#include <sel4vmmplatsupport/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The guest gets the device's own registers, at the same address. */
int vm_install_passthrough_device(vm_t *vm, const struct device *device);

/* The guest gets ordinary memory there: what it writes it reads back, and nothing happens. */
int vm_install_ram_only_device(vm_t *vm, const struct device *device);

/* Every access traps, is printed, and is then performed on the device, in the access's own width. */
int vm_install_listening_device(vm_t *vm, const struct device *device);

#ifdef __cplusplus
}
#endif
