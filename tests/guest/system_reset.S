// SPDX-License-Identifier: BSD-2-Clause
//
// SYSTEM_RESET boots again from the first state: memory that the guest changed is as it was loaded. The console's input
// decides, since nothing inside the guest survives: r resets, q ends.
// input: rrq
// expect: boot
#include "guest.h"

    .globl main
main:
    str x30, [sp, #-16]!
    adr x0, text_boot
    bl print
    adrp x0, data
    add x0, x0, :lo12:data
    ldr w1, [x0]
    CHECK(x1, 0x1234)
    str wzr, [x0]
    ldr x0, =0x47f00000        // RAM that no image covers
    ldr x1, [x0]
    CHECK(x1, 0)
    mov x1, #-1
    str x1, [x0]
    mov x20, #UART_BASE
1:  ldr w0, [x20, #UART_FR]
    tbnz w0, #4, 1b
    ldr w0, [x20, #UART_DR]
    and w0, w0, #0xff
    cmp w0, #'q'
    b.eq 2f
    cmp w0, #'r'
    b.ne 1b
    ldr w0, =PSCI_SYSTEM_RESET
    hvc #0
    mov x2, #__LINE__
    b guest_fail
2:  ldr x30, [sp], #16
    ret
text_boot: .asciz "boot\n"
    .data
    .balign 4
data: .word 0x1234
