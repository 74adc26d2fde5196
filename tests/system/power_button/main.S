// SPDX-License-Identifier: BSD-2-Clause
//
// A guest that says when it is ready, waits until its power button was pressed and let go, with an interrupt for each, and switches off.
// Its PL061 is where power_button_test.py puts it.
#include "guest.h"
#include "gic.h"

#define GPIO_BASE  0x09030000
#define GPIO_DATA  0x3fc
#define GPIO_IBE   0x408
#define GPIO_IE    0x410
#define GPIO_MIS   0x418
#define GPIO_IC    0x41c
#define BUTTON     (1 << 3)
#define INTID      39

    .globl main
main:
    str x30, [sp, #-16]!
    gic_begin
    mov x1, #INTID
    mov w2, #0x80
    mov w10, #0
    bl spi_setup
    ldr x21, =GPIO_BASE
    mov w1, #BUTTON
    str w1, [x21, #GPIO_IBE]
    str w1, [x21, #GPIO_IE]
    adr x0, ready
    bl print
    bl edge
    CHECK(x22, BUTTON)
    adr x0, pressed
    bl print
    bl edge
    CHECK(x22, 0)
    adr x0, released
    bl print
    ldr x30, [sp], #16
    ret

// Waits for the interrupt. x22: what is at the pins then.
edge:
    mov x23, x30
1:  wfi
    bl ack_once
    cmp x0, #1023
    b.eq 1b
    CHECK(x0, INTID)
    ldr w1, [x21, #GPIO_MIS]
    CHECK(x1, BUTTON)
    ldr w22, [x21, #GPIO_DATA]
    str w1, [x21, #GPIO_IC]
    mov x0, #INTID
    bl eoi
    ret x23

    gic_helpers

ready:
    .asciz "ready\n"
pressed:
    .asciz "pressed\n"
released:
    .asciz "released\n"
