// SPDX-License-Identifier: BSD-2-Clause
//
// A vCPU turns itself off with one SPI active (never ended) and one pending (never acknowledged), both routed to it. The other
// re-routes them: the pending one comes; the active one stays active until ICACTIVER, then comes when pended.
// run: --vcpus 2
// cpus: 2
#include "guest.h"
#include "gic.h"
    .globl main
main:
    str x30, [sp, #-16]!
    gic_begin
    mov w10, #2
    mov x1, #40
    mov w2, #0x80
    bl spi_setup
    mov x1, #41
    mov w2, #0x90
    bl spi_setup
    mov w24, #2
    bl route
    ldr x0, =PSCI_CPU_ON_64
    mov x1, #1
    adr x2, second
    hvc #0
    CHECK(x0, 0)
    adrp x26, flag
    add x26, x26, :lo12:flag
5:  ldr w0, [x26]
    cbz w0, 5b
1:  ldr x0, =PSCI_AFFINITY_INFO
    mov x1, #1
    mov x2, #0
    hvc #0
    cmp x0, #1
    b.ne 1b
    adrp x26, flag
    ldr w0, [x26, :lo12:flag]
    CHECK(x0, 40)
    ldr w0, [x20, #0x304]
    CHECK(x0, 0x100)
    ldr w0, [x20, #0x204]
    CHECK(x0, 0x200)
    mov w24, #1
    bl route
    bl ack
    CHECK(x0, 41)
    bl eoi
    bl ack_once
    CHECK(x0, 1023)
    mov w0, #0x100
    str w0, [x20, #0x204]
    bl ack_once
    CHECK(x0, 1023)                  // active still
    mov w0, #0x100
    str w0, [x20, #0x384]
    ldr w0, [x20, #0x304]
    CHECK(x0, 0)
    bl ack
    CHECK(x0, 40)
    bl eoi
    ldr w0, [x20, #0x304]
    CHECK(x0, 0)
    ldr x30, [sp], #16
    ret
// w24: 1 to the first, 2 to the second
route:
    cbz x19, 1f
    add x3, x20, #0x6000
    sub w4, w24, #1
    str x4, [x3, #(8 * 40)]
    str x4, [x3, #(8 * 41)]
    ret
1:  strb w24, [x20, #(0x800 + 40)]
    strb w24, [x20, #(0x800 + 41)]
    ret
second:
    gic_begin_second
    mov w0, #0x100
    str w0, [x20, #0x204]
    bl ack
    adrp x26, flag
    str w0, [x26, :lo12:flag]
    mov w0, #0x200
    str w0, [x20, #0x204]
    ldr w0, =PSCI_CPU_OFF
    hvc #0
    b .
    gic_helpers
    .bss
    .balign 8
flag: .skip 8
