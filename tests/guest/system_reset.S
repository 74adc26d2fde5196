// SPDX-License-Identifier: BSD-2-Clause
//
// SYSTEM_RESET boots again from the first state: memory that the guest changed is as it was loaded. How often it booted
// is told by the clock, which is set before each reset and, like a battery-backed one, keeps what it was set to.
// expect: boot
#include "guest.h"

#define RTC_DR 0x0
#define RTC_LR 0x8

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
    ldr x20, =RTC_BASE
    ldr w0, [x20, #RTC_DR]
    ldr w1, =1000000000
    cmp w0, w1
    mov w2, #100
    b.hs 1f                    // a time of day: the first boot
    cmp w0, #2000
    mov w2, #2000
    b.hs 2f                    // set by the second boot
1:  str w2, [x20, #RTC_LR]
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
