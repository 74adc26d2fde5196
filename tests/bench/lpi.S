// SPDX-License-Identifier: BSD-2-Clause
//
// What an LPI costs: from the store to GITS_CWRITER that hands an INT command over, until the handler runs and until the interrupted code goes on.
#include "guest.h"
#include "its.h"
#include "report.inc"

    .globl main, irq_handler
main:
    str x30, [sp, #-16]!
    gic_begin
    its_open
    ldr x2, =GICR_BASE
    bl lpis_open
    mov x0, #0
    mov w1, #0xa1
    bl lpi_configure
    command MAPC, 0, 0, 0, (1<<63), 0
    command_itt 5, 5
    command MAPTI, 5, 0, 8192, 0, 0
    command INV, 5, 0, 0, 0, 0
    bl its_ring
    msr daifclr, #2
    mov x24, #0
    mov x25, #0
    ldr x19, =ROUNDS
1:  command INT, 5, 0, 0, 0, 0
    mov x26, #0
    mrs x20, cntvct_el0
    isb
    str x23, [x21, #0x88]      // GITS_CWRITER
2:  cbz x26, 2b
    mrs x27, cntvct_el0
    sub x0, x26, x20
    add x24, x24, x0
    sub x0, x27, x20
    add x25, x25, x0
    subs x19, x19, #1
    b.ne 1b
    mov x0, x24
    adr x1, text_lpi
    bl report
    mov x0, x25
    adr x1, text_lpi_eoi
    bl report
    ldr x30, [sp], #16
    ret

irq_handler:
    mov x26, x1
    ret
text_lpi: .asciz "lpi"
text_lpi_eoi: .asciz "lpi_eoi"
    .balign 4
    its_helpers
    gic_helpers
    bench_helpers
