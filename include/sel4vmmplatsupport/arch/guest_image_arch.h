/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an image file can be on Arm, by its first bytes.
 */
#pragma once

enum img_type {
    IMG_BIN,       /* an arm64 Image, or nothing that has a mark of its own */
    IMG_ELF,       /* executable and linkable format */
    IMG_UIMAGE,    /* U-Boot's wrapper */
    IMG_ABOOT,     /* an Android boot image; not loadable */
    IMG_ZIMAGE,    /* a 32-bit self-unpacking Linux; not for AArch64 guests */
    IMG_INITRD_GZ, /* gzip'd data: an initial RAM disk, or as a kernel the Image inside */
    IMG_DTB,       /* flattened device tree */
};

/* Nothing to add to guest_kernel_image on Arm. C has no empty structures. */
struct guest_kernel_image_arch {
    char unused;
};
