// SPDX-License-Identifier: BSD-2-Clause
//
// The boot vCPU starts as the arm64 boot protocol says: EL1h, MMU and caches off, exceptions masked, x0 a device tree.
#include "guest.h"

    .globl main
main:
    mrs x0, CurrentEL
    CHECK(x0, 4)
    mrs x0, SPSel
    CHECK(x0, 1)
    mrs x0, DAIF
    CHECK(x0, 0x3c0)
    mrs x0, sctlr_el1
    mov x1, #5                 // M, C
    and x0, x0, x1
    CHECK(x0, 0)
    adrp x1, boot_argument
    ldr x1, [x1, :lo12:boot_argument]
    ldr w0, [x1]
    CHECK(x0, 0xedfe0dd0)
    mrs x0, mpidr_el1
    and x0, x0, #0xffffff
    CHECK(x0, 0)
    ret
