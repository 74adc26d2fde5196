// SPDX-License-Identifier: BSD-2-Clause
//
// HVC and SMC return a result in x0 and preserve every other register; unknown functions are NOT_SUPPORTED.
#include "guest.h"

.macro call conduit
    .irp n, 4,5,6,7,8,9,10,11,12,13,14,15,18,19,21,22,23,24,25,26,27,28,29
    mov x\n, #(0x100 + \n)
    .endr
    \conduit #0
    .irp n, 4,5,6,7,8,9,10,11,12,13,14,15,18,19,21,22,23,24,25,26,27,28,29
    CHECK(x\n, (0x100 + \n))
    .endr
.endm

    .globl main
main:
    str x30, [sp, #-16]!
    ldr w0, =PSCI_VERSION
    call hvc
    lsr x0, x0, #16
    CHECK(x0, 1)
    ldr w0, =PSCI_VERSION
    hvc #0
    mov x20, x0
#ifndef NO_HYPERVISOR
    ldr w0, =PSCI_VERSION
    call smc
    CHECK_SAME(x0, x20)
    ldr w0, =0xc3001234
    call smc
    CHECK(x0, 0xffffffffffffffff)
    // The function identifier is 32 bits: what the upper half holds does not matter.
    ldr w0, =PSCI_VERSION
    movk x0, #0xdead, lsl #48
    hvc #0
    CHECK_SAME(x0, x20)
#endif
    ldr w0, =0xc3001234
    call hvc
    CHECK(x0, 0xffffffffffffffff)
    ldr x30, [sp], #16
    ret
