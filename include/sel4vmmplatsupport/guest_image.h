/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading a guest's kernel and its companions (initial RAM disk, device tree) from files known by name. What a name means is
 * the host's: a path opened with open() on seL4, an image of the bundle on el2 (its role, such as "kernel", or its file's name); on the fake
 * host what vm_host_file() finds, else a path. Contents go straight into the guest's RAM, piece by piece; nothing is kept. Nothing in a
 * file is believed: sizes and offsets are checked, and a refusal logs one line that says why.
 */
#pragma once

#include <sel4vm/guest_vm.h>
#include <sel4vmmplatsupport/arch/guest_image_arch.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct guest_kernel_image_arch guest_kernel_image_arch_t;

/* Where an image went, in guest-physical addresses and bytes. */
typedef struct guest_image {
    uintptr_t load_paddr; /* of its first byte */
    size_t alignment;     /* that was asked for, or 0 */
    size_t size;          /* of what was copied */
} guest_image_t;

typedef struct guest_kernel_image {
    guest_image_t kernel_image;
    guest_kernel_image_arch_t kernel_image_arch;
} guest_kernel_image_t;

/*
 * Loads the kernel `kernel_name` and marks the memory it takes as allocated. `load_address` is the start of the guest's RAM:
 * kernels that say how far from there they want to be are put there.
 *   arm64 Image, raw binary   at vm->entry when that is not 0, else where the format wants to be
 *   gzip'd arm64 Image        as what is inside
 *   ELF, uImage               where their headers say
 * `alignment`: 0, or a power of two; an Image or raw binary is moved up to a multiple of it. vm->entry is where the kernel starts
 * when this returns. 0 on success, -1 otherwise.
 */
int vm_load_guest_kernel(vm_t *vm, const char *kernel_name, uintptr_t load_address, size_t alignment,
                         guest_kernel_image_t *guest_kernel_image);

/*
 * Loads a device tree or an initial RAM disk (any bytes are one, except a kernel or an ELF file) at `load_address`, rounded up to
 * `alignment` when that is not 0, and marks the memory as allocated. 0 on success, -1 otherwise.
 */
int vm_load_guest_module(vm_t *vm, const char *module_name, uintptr_t load_address, size_t alignment,
                         guest_image_t *guest_image);

#ifdef __cplusplus
}
#endif
