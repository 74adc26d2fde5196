// SPDX-License-Identifier: BSD-2-Clause
//
// What an interrupt of a device of the machine costs: from the store that has the board's PL061 ask, until the handler runs and until the interrupted
// code goes on. The handler has the device stop asking.
#include "guest.h"
#include "gic.h"
#include "report.inc"
#define PL061 0x09030000
#define INTID 39

    .globl main, irq_handler
main:
    str x30, [sp, #-16]!
    gic_begin
    ldr x21, =PL061
    str wzr, [x21, #0x410]     // GPIOIE
    mov w0, #1
    str w0, [x21, #0x404]      // GPIOIS: by level
    str wzr, [x21, #0x40c]     // GPIOIEV: a low one
    mov w10, #0
    mov x1, #INTID
    mov w2, #0x80
    bl spi_setup
    msr daifclr, #2
    mov x24, #0
    mov x25, #0
    ldr x19, =ROUNDS
    mov w23, #1
1:  mov x26, #0
    mrs x20, cntvct_el0
    isb
    str w23, [x21, #0x410]
2:  cbz x26, 2b
    mrs x27, cntvct_el0
    sub x0, x26, x20
    add x24, x24, x0
    sub x0, x27, x20
    add x25, x25, x0
    subs x19, x19, #1
    b.ne 1b
    mov x0, x24
    adr x1, text_spi
    bl report
    mov x0, x25
    adr x1, text_spi_eoi
    bl report
    ldr x30, [sp], #16
    ret

irq_handler:
    str wzr, [x21, #0x410]
    mov x26, x1
    ret
text_spi: .asciz "spi_passed"
text_spi_eoi: .asciz "spi_passed_eoi"
    .balign 4
    gic_helpers
    bench_helpers
