// SPDX-License-Identifier: BSD-2-Clause
//
// The machine's own PL061, which has a page and an interrupt (SPI 7) of its own: its lines are high as soon as they are told to be when low. The
// interrupt comes, stays away while it is active, comes again for a device that still asks, and is held back by the hardware while it is masked.
#include "guest.h"
#include "gic.h"
#define PL061 0x09030000
#define INTID 39

.macro lines value
    mov w0, #\value
    str w0, [x21, #0x410]            // GPIOIE
    dsb sy
.endm
    .globl main
main:
    str x30, [sp, #-16]!
    gic_begin
    ldr x21, =PL061
    ldr w0, [x21, #0xfe0]
    CHECK(x0, 0x61)                  // GPIOPeriphID0
    lines 0
    mov w0, #1
    str w0, [x21, #0x404]            // GPIOIS: by level
    str wzr, [x21, #0x40c]           // GPIOIEV: a low one
    mov w10, #0
    mov x1, #INTID
    mov w2, #0x80
    bl spi_setup
    mov w22, #100
1:  lines 1
    bl ack
    CHECK(x0, INTID)
    bl nothing                       // active
    lines 0
    mov x0, #INTID
    bl eoi
    bl nothing
    subs w22, w22, #1
    b.ne 1b
    // It still asks at the end.
    lines 1
    bl ack
    CHECK(x0, INTID)
    bl eoi
    bl ack
    CHECK(x0, INTID)
    lines 0
    mov x0, #INTID
    bl eoi
    bl nothing
    // Masked, it is not remembered after the device has stopped asking.
    mov w0, #(1 << (INTID - 32))
    str w0, [x20, #0x184]
    lines 1
    bl nothing
    lines 0
    mov w0, #(1 << (INTID - 32))
    str w0, [x20, #0x104]
    bl nothing
    // Masked while it waits, and masked in its handler.
    lines 1
    mov w0, #(1 << (INTID - 32))
    str w0, [x20, #0x184]
    bl nothing
    mov w0, #(1 << (INTID - 32))
    str w0, [x20, #0x104]
    bl ack
    CHECK(x0, INTID)
    mov w0, #(1 << (INTID - 32))
    str w0, [x20, #0x184]
    mov x0, #INTID
    bl eoi
    bl nothing
    lines 0
    mov w0, #(1 << (INTID - 32))
    str w0, [x20, #0x104]
    bl nothing
    ldr x30, [sp], #16
    ret

// No interrupt is signalled for a while.
nothing:
    str x30, [sp, #-16]!
    mov w24, #200
1:  bl ack_once
    CHECK(x0, 1023)
    subs w24, w24, #1
    b.ne 1b
    ldr x30, [sp], #16
    ret
    gic_helpers
