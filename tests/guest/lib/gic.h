// SPDX-License-Identifier: BSD-2-Clause
//
// For guests that keep interrupts masked and acknowledge them by hand, the same on GICv2 and GICv3. x19: 1 on GICv3, x20: GICD.
// A guest says gic_begin at the start of main and gic_helpers behind its code.
#pragma once

.macro gic_begin
    bl gic_init
    adrp x0, gic_is_v3
    ldr w19, [x0, :lo12:gic_is_v3]
    ldr x20, =GICD_BASE
.endm
// Opens the CPU interface of another CPU than the first, which has number 1. Sets x19 and x20. Clobbers x0, x2.
.macro gic_begin_second
    mrs x0, id_aa64pfr0_el1
    ubfx x19, x0, #24, #4
    ldr x20, =GICD_BASE
    cbz x19, 91f
    ldr x2, =(GICR_BASE + 0x20000)
    str wzr, [x2, #0x14]             // GICR_WAKER
90: ldr w0, [x2, #0x14]
    tbnz w0, #2, 90b
    mov x0, #1
    msr s3_0_c12_c12_5, x0           // ICC_SRE_EL1
    isb
    mov x0, #0xff
    msr s3_0_c4_c6_0, x0             // ICC_PMR_EL1
    mov x0, #1
    msr s3_0_c12_c12_7, x0           // ICC_IGRPEN1_EL1
    isb
    b 92f
91: ldr x2, =GICC_BASE
    mov w0, #0xff
    str w0, [x2, #4]                 // GICC_PMR
    mov w0, #1
    str w0, [x2]                     // GICC_CTLR
92:
.endm
.macro gic_helpers
// x1: an SPI for CPU 0, edge (w10 = 2) or level (w10 = 0), group 1 on GICv3, priority w2; enabled
spi_setup:
    add x3, x20, #0x400
    strb w2, [x3, x1]
    lsr x4, x1, #5
    and x5, x1, #31
    mov w6, #1
    lsl w5, w6, w5
    cbz w19, 1f
    add x3, x20, x4, lsl #2
    ldr w6, [x3, #0x80]
    orr w6, w6, w5
    str w6, [x3, #0x80]
    add x3, x20, #0x6000
    str xzr, [x3, x1, lsl #3]
    b 2f
1:  add x3, x20, #0x800
    mov w2, #1
    strb w2, [x3, x1]
2:  lsr x3, x1, #4
    add x3, x20, x3, lsl #2
    add x3, x3, #0xc00
    ldr w6, [x3]
    and x7, x1, #15
    lsl x7, x7, #1
    mov w8, #2
    lsl w8, w8, w7
    bic w6, w6, w8
    lsl w8, w10, w7
    orr w6, w6, w8
    str w6, [x3]
    add x3, x20, x4, lsl #2
    str w5, [x3, #0x100]
    ret
// x0: the INTID, or 1023 when none is signalled at once
ack_once:
    mov x9, #1
    b 1f
// x0: the INTID, or 1023 when none is signalled for a long time
ack:
    mov x9, #0x4000000
1:  cbz w19, 2f
    dsb sy
    isb
    mrs x0, s3_0_c12_c12_0
    b 3f
2:  ldr x16, =GICC_BASE
    ldr w0, [x16, #0xc]
3:  cmp x0, #1020
    b.lo 4f
    subs x9, x9, #1
    b.ne 1b
4:  ret
// x0: INTID
eoi:
    cbz w19, 1f
    msr s3_0_c12_c12_1, x0
    isb
    ret
1:  ldr x16, =GICC_BASE
    str w0, [x16, #0x10]
    ret
    .ltorg
.endm
