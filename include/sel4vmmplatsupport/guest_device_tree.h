/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An addition to libsel4vmmplatsupport: the whole device tree of a VM that was made with libsel4vm's calls. Memory, CPUs,
 * interrupt controller, timer and firmware interface are as the VM has them, so the tree and the VM cannot disagree; what the library
 * cannot know comes from the caller. More nodes can be added with libfdt (fdt_open_into(), fdt_add_subnode()).
 */
#pragma once

#include <sel4vm/guest_vm.h>
#include <sel4vmmplatsupport/guest_image.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The device tree's references to the interrupt controller. */
#define VMM_GIC_PHANDLE 1

/* All zeroes is allowed. */
typedef struct vmm_device_tree {
    const char *bootargs;        /* the kernel's command line, or NULL */
    const guest_image_t *initrd; /* as vm_load_guest_module() filled it, or NULL */
    uintptr_t pl011;        /* guest-physical address of a PL011 UART that the caller emulates, the console; 0: none */
    unsigned int pl011_irq; /* its interrupt, a shared one: 32 and up */
} vmm_device_tree_t;

/*
 * Writes the tree into `fdt`, which is 8-byte aligned and has `size` bytes. After RAM, vCPUs and interrupt controller are made.
 * Returns how many bytes the tree has, or -1.
 */
int vmm_generate_device_tree(vm_t *vm, const vmm_device_tree_t *what, void *fdt, size_t size);

/*
 * The same, put where a kernel loaded with vm_load_guest_kernel() finds it: into RAM at `load_address`, marked as allocated.
 */
int vmm_load_device_tree(vm_t *vm, const vmm_device_tree_t *what, uintptr_t load_address, guest_image_t *guest_image);

#ifdef __cplusplus
}
#endif
