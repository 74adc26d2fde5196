// SPDX-License-Identifier: BSD-2-Clause
//
// Message-based SPIs: GICD_SETSPI_NSR and GICD_CLRSPI_NSR of edge-triggered and of level-sensitive interrupts.
// run: --msi mbi
// gic: 3
#include "guest.h"
#include "gic.h"

#define EDGE  81
#define HELD  82
#define SETSPI 0x40
#define CLRSPI 0x48

    .globl main
main:
    str x30, [sp, #-16]!
    gic_begin
    ldr w0, [x20, #4]
    ubfx x0, x0, #16, #1       // GICD_TYPER.MBIS
    CHECK(x0, 1)
    mov x1, #EDGE
    mov w2, #0x80
    mov w10, #2
    bl spi_setup
    mov x1, #HELD
    mov w2, #0x80
    mov w10, #0
    bl spi_setup

    // An edge: once; again when it comes while it is active; gone when it is taken back.
    mov w21, #EDGE
    str w21, [x20, #SETSPI]
    bl ack
    CHECK(x0, EDGE)
    strh w21, [x20, #SETSPI]
    mov x0, #EDGE
    bl eoi
    bl ack
    CHECK(x0, EDGE)
    bl eoi
    bl ack_once
    CHECK(x0, 1023)
    str w21, [x20, #SETSPI]
    str w21, [x20, #CLRSPI]
    bl ack_once
    CHECK(x0, 1023)
    strb w21, [x20, #SETSPI]   // too narrow
    bl ack_once
    CHECK(x0, 1023)

    // A level: until it is cleared.
    mov w21, #HELD
    str w21, [x20, #SETSPI]
    bl ack
    CHECK(x0, HELD)
    bl eoi
    bl ack
    CHECK(x0, HELD)
    str w21, [x20, #CLRSPI]
    bl eoi
    bl ack_once
    CHECK(x0, 1023)

    // What is no shared interrupt is ignored.
    mov w21, #27
    str w21, [x20, #SETSPI]
    mov w21, #1021
    str w21, [x20, #SETSPI]
    mov w21, #-1
    str w21, [x20, #SETSPI]
    str w21, [x20, #CLRSPI]
    bl ack_once
    CHECK(x0, 1023)
    ldr x30, [sp], #16
    ret
    gic_helpers
