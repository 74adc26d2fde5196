// SPDX-License-Identifier: BSD-2-Clause
//
// Message-signalled interrupts that the guest sends to itself: by a GICv2m frame, with either version of the GIC. Each message
// is one interrupt; those that come while it is masked or handled are not lost; numbers of no message interrupt do nothing.
// run: --msi v2m
#include "guest.h"
#include "gic.h"

#define V2M_BASE 0x08020000
#define FIRST    80
#define COUNT    64

.macro send intid
    mov w0, #(\intid)
    str w0, [x21, #0x40]
.endm

    .globl main
main:
    str x30, [sp, #-16]!
    gic_begin
    ldr x21, =V2M_BASE
    ldr w0, [x21, #8]
    CHECK(x0, FIRST << 16 | COUNT)
    mov x22, #FIRST
    // Each of the interrupts, one after the other, by a word and by a halfword.
1:  mov x1, x22
    mov w2, #0x80
    mov w10, #2
    bl spi_setup
    str w22, [x21, #0x40]
    bl take
    CHECK_SAME(x0, x22)
    strh w22, [x21, #0x40]
    bl take
    CHECK_SAME(x0, x22)
    bl ack_once
    CHECK(x0, 1023)
    add x22, x22, #1
    cmp x22, #(FIRST + COUNT)
    b.lo 1b

    // Not its own.
    send FIRST - 1
    send FIRST + COUNT
    send 1023
    send 27
    bl ack_once
    CHECK(x0, 1023)

    // While it is disabled, and twice.
    mov w1, #(1 << (FIRST % 32))
    str w1, [x20, #(0x180 + 4 * (FIRST / 32))]
    send FIRST
    send FIRST
    bl ack_once
    CHECK(x0, 1023)
    str w1, [x20, #(0x100 + 4 * (FIRST / 32))]
    bl ack
    CHECK(x0, FIRST)
    // While it is active.
    send FIRST
    bl ack_once
    CHECK(x0, 1023)
    mov x0, #FIRST
    bl eoi
    bl take
    CHECK(x0, FIRST)
    bl ack_once
    CHECK(x0, 1023)
    ldr x30, [sp], #16
    ret

// x0: the INTID, which was ended
take:
    stp x30, x23, [sp, #-16]!
    bl ack
    mov x23, x0
    bl eoi
    mov x0, x23
    ldp x30, x23, [sp], #16
    ret
    gic_helpers
