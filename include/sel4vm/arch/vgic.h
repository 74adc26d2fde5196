/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The guest's GIC, chosen in detail.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The same as vm_create_default_irq_controller(). */
int vm_install_vgic(vm_t *vm);

/* ---- Additions to the interface of libsel4vm */

/** A GIC. Zero in a field means the host's default. */
typedef struct vm_vgic_config {
    unsigned int version;   /**< 2 or 3 */
    unsigned int spi_count; /**< shared interrupts, from INTID 32 on: a multiple of 32, at most 960; default 224 */
    uintptr_t distributor;  /**< GICD, guest-physical; version 2: 4 KiB, aligned to that, version 3: 64 KiB, likewise */
    uintptr_t cpu_interface; /**< GICC of a GICv2: 8 KiB, 4 KiB aligned */
    uintptr_t redistributor; /**< GICR of a GICv3: 128 KiB for each vCPU, 64 KiB aligned */
} vm_vgic_config_t;

/** Installs it. @return -1 also when the hardware cannot virtualize the version, or a range is taken */
int vm_install_vgic_with(vm_t *vm, const vm_vgic_config_t *config);

/** What is installed, without zeroes; redistributor 0 for a GICv2, cpu_interface 0 for a GICv3. For device trees. */
int vm_get_vgic(vm_t *vm, vm_vgic_config_t *config);

#ifdef __cplusplus
}
#endif
