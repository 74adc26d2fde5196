// SPDX-License-Identifier: BSD-2-Clause
//
// All ones, all zeros and a pattern into every register of the interrupt controller's frames, at every offset and in every width, and reads of
// everything: whatever each does or refuses, afterwards a guest can set the controller up and has its interrupts.
// run: --log-level error
#include "guest.h"

    .globl main
main:
    str x30, [sp, #-16]!
    adr x0, ones_vectors
    msr vbar_el1, x0
    isb
    bl gic_init                        // tells which controller it is
    adrp x0, gic_is_v3
    ldr w28, [x0, :lo12:gic_is_v3]
    ldr x20, =GICD_BASE
    cbnz w28, 1f
    mov x21, #0x1000
    bl frame
    ldr x20, =GICC_BASE
    mov x21, #0x2000
    bl frame
    bl sgis_v2
    b 2f
1:  mov x21, #0x10000
    bl frame
    ldr x20, =GICR_BASE
    mov x21, #0x20000
    bl frame
    bl sgis_v3
    bl registers
2:  bl settle
    // One interrupt of each kind: an SGI, and the virtual timer.
    adrp x0, vectors
    add x0, x0, :lo12:vectors
    msr vbar_el1, x0
    isb
    bl gic_init
    mov w0, #5
    bl irq_enable
    mov w0, #INTID_VTIMER
    bl irq_enable
    msr daifclr, #2
    mov w0, #5
    bl send_self_sgi
    adrp x20, irq_count
    add x20, x20, :lo12:irq_count
3:  ldr w0, [x20, #(4 * 5)]
    cbz w0, 3b
    mov x0, #1
    msr cntv_tval_el0, x0
    msr cntv_ctl_el0, x0
4:  ldr w0, [x20, #(4 * INTID_VTIMER)]
    cbz w0, 4b
    msr daifset, #2
    ldr x30, [sp], #16
    ret

    .globl irq_handler
irq_handler:
    msr cntv_ctl_el0, xzr
    ret

// x20: base, x21: bytes. In the middle of a large frame in one width, as much of it is alike.
frame:
    mov x23, x30
    sub x24, x21, #0x1000
    mov x22, #0
1:  add x0, x20, x22
    mov x1, #-1
    cmp x22, #0x1000
    ccmp x22, x24, #2, hs
    b.lo 3f
    bl access
    mov x1, #0
    bl access
    ldr x1, =0x55aa33cc0f1e2d3c
    bl access
    b 4f
3:  str w1, [x0]
    ldr w2, [x0]
4:  add x22, x22, #4
    cmp x22, x21
    b.lo 1b
    // The bytes between: a page of it is enough, as far as they are refused.
    mov x22, #0
2:  add x0, x20, x22
    mov x1, #-1
    strb w1, [x0, #1]
    ldrb w2, [x0, #3]
    strh w1, [x0, #2]
    ldrh w2, [x0, #1]
    str w1, [x0, #1]
    str x1, [x0, #4]
    ldp w2, w3, [x0]
    stp w1, w1, [x0]
    add x22, x22, #4
    cmp x22, #0x1000
    b.lo 2b
    ret x23
access:
    str w1, [x0]
    ldr w2, [x0]
    str x1, [x0]
    ldr x2, [x0]
    strh w1, [x0]
    ldrh w2, [x0]
    strb w1, [x0]
    ldrb w2, [x0]
    ret

// Every SGI with every filter to every set of CPUs, most of which do not exist.
sgis_v2:
    ldr x0, =(GICD_BASE + 0xf00)
    mov x1, #0
1:  and x2, x1, #0xf
    ubfx x3, x1, #4, #8
    orr x2, x2, x3, lsl #16
    ubfx x3, x1, #12, #2
    orr x2, x2, x3, lsl #24
    str w2, [x0]
    add x1, x1, #1
    tbz x1, #14, 1b
    ret
sgis_v3:
    mov x1, #0
1:  and x2, x1, #0xff                  // target list, in both halves
    orr x2, x2, x2, lsl #8
    ubfx x3, x1, #8, #4                // SGI, Aff1, IRM, range
    orr x2, x2, x3, lsl #24
    orr x2, x2, x3, lsl #16
    ubfx x3, x1, #12, #1
    orr x2, x2, x3, lsl #40
    orr x2, x2, x3, lsl #44
    msr s3_0_c12_c11_5, x2
    msr s3_0_c12_c11_6, x2
    msr s3_0_c12_c11_7, x2
    mvn x2, x2
    msr s3_0_c12_c11_5, x2
    add x1, x1, #1
    tbz x1, #13, 1b
    ret

// All ones into the CPU interface: ICC_*.
registers:
    mov x0, #-1
    .irp r, s3_0_c4_c6_0, s3_0_c12_c8_1, s3_0_c12_c8_3, s3_0_c12_c8_4, s3_0_c12_c9_0, s3_0_c12_c11_1, s3_0_c12_c12_1, s3_0_c12_c12_3, s3_0_c12_c12_4, s3_0_c12_c12_5, s3_0_c12_c12_6, s3_0_c12_c12_7
    msr \r, x0
    .endr
    .irp r, s3_0_c12_c8_0, s3_0_c12_c8_2, s3_0_c12_c12_0, s3_0_c12_c12_2, s3_0_c12_c11_3
    mrs x1, \r
    .endr
    ret

// Everything disabled, not pending, not active; priorities as after a reset.
settle:
    mov x23, x30
    ldr x20, =GICD_BASE
    str wzr, [x20]
    mov x22, #0x80
    add x0, x20, #0x180
    bl fill_ones
    mov x22, #0x80
    add x0, x20, #0x280
    bl fill_ones
    mov x22, #0x80
    add x0, x20, #0x380
    bl fill_ones
    cbz w28, 1f
    ldr x20, =GICR_BASE
    add x20, x20, #0x10, lsl #12
    mov w1, #-1
    str w1, [x20, #0x180]
    str w1, [x20, #0x280]
    str w1, [x20, #0x380]
    msr s3_0_c12_c8_4, xzr             // active priorities
    msr s3_0_c12_c9_0, xzr
    msr s3_0_c12_c12_4, xzr            // EOImode 0
    msr s3_0_c12_c12_6, xzr
    msr s3_0_c12_c12_7, xzr
    msr s3_0_c12_c12_3, xzr
    isb
    ret x23
1:  str wzr, [x20, #0x80]              // group 0, as lib.S has it
    mov w1, #-1
    ldr x0, =(GICD_BASE + 0xf10)       // CPENDSGIR
    str w1, [x0]
    str w1, [x0, #4]
    str w1, [x0, #8]
    str w1, [x0, #12]
    ldr x0, =GICC_BASE
    str wzr, [x0]
    str wzr, [x0, #8]
    str wzr, [x0, #0xd0]               // APR0
    ret x23
fill_ones:
    mov w1, #-1
1:  str w1, [x0], #4
    subs x22, x22, #4
    b.ne 1b
    ret

    .balign 2048
ones_vectors:
    .rept 4
    .balign 128
    b not_expected
    .endr
    .balign 128
    mrs x9, esr_el1
    lsr x10, x9, #26
    cmp x10, #0x25
    b.eq 1f
    cbnz x10, not_expected
1:  mrs x9, elr_el1
    add x9, x9, #4
    msr elr_el1, x9
    eret
    .rept 11
    .balign 128
    b not_expected
    .endr
not_expected:
    mrs x0, esr_el1
    mrs x1, elr_el1
    mov x2, #__LINE__
    b guest_fail
