/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two guests of system.toml, compiled once with SIDE=0 and once with SIDE=1. The first fills a megabyte of the memory that they share, and rings
 * the second; that compares the checksum, answers with the complement of all of it, and rings back. Each works with a GICv2 and a GICv3, knows the
 * places that system.toml gives it, and keeps interrupts masked: the doorbell's wakes it from wfi, and it takes note of it by hand.
 */
#define UART 0x09000000
#define DISTRIBUTOR 0x08000000
#define CPU_INTERFACE 0x08010000 /* GICv2 */
#define REDISTRIBUTOR 0x080a0000 /* GICv3 */

#define SHARED 0x50000000
#define SUM_OF_SIDE(side) ((side) * 8) /* in the first page */
#define DATA 0x1000                    /* a megabyte from here on */
#define DATA_BYTES 0x100000

#define DOORBELL 0x0b000000
#define RING 0x0c
#define RUNG 0x10
#define IRQ 72 /* irq 40 of system.toml */
#define OTHER (1 << (1 - SIDE))

    .global _start
_start:
    mov x19, #DISTRIBUTOR
    mov w1, #(1 << (IRQ % 32))
    mov w2, #(2 << (IRQ % 16 * 2))
    str w2, [x19, #(0xc00 + IRQ / 16 * 4)] /* GICD_ICFGR: an edge */
    mrs x20, id_aa64pfr0_el1
    ubfx x20, x20, #24, #4 /* not 0: GICv3 */
    cbz x20, 2f

    mov x3, #REDISTRIBUTOR
    str wzr, [x3, #0x14] /* GICR_WAKER */
1:  ldr w4, [x3, #0x14]
    tbnz w4, #2, 1b
    mov x4, #1
    msr S3_0_C12_C12_5, x4 /* ICC_SRE_EL1 */
    isb
    mov x5, #0xf0
    msr S3_0_C4_C6_0, x5   /* ICC_PMR_EL1 */
    msr S3_0_C12_C12_7, x4 /* ICC_IGRPEN1_EL1 */
    isb
    mov w4, #0x12
    str w4, [x19] /* GICD_CTLR */
    str w1, [x19, #(0x80 + IRQ / 32 * 4)] /* GICD_IGROUPR */
    b 3f

2:  mov x3, #CPU_INTERFACE
    mov w4, #1
    mov w5, #0xf0
    str w5, [x3, #4] /* GICC_PMR */
    str w4, [x3]     /* GICC_CTLR */
    str w4, [x19]    /* GICD_CTLR */
    add x5, x19, #0x800
    strb w4, [x5, #IRQ] /* GICD_ITARGETSR */

3:  str w1, [x19, #(0x100 + IRQ / 32 * 4)] /* GICD_ISENABLER */
    mov x21, #DOORBELL
    mov x22, #SHARED

#if SIDE == 0
    mov w0, #0 /* fill it */
    movz w2, #0x79b1
    movk w2, #0x9e37, lsl #16
    add x3, x22, #DATA
    mov x4, #DATA_BYTES
4:  str w0, [x3], #4
    add w0, w0, w2
    subs x4, x4, #4
    b.ne 4b
    bl sum
    str x0, [x22, #SUM_OF_SIDE(0)]
    bl ring
    bl wait
    bl sum
    ldr x1, [x22, #SUM_OF_SIDE(1)]
    adr x2, answered
#else
    bl wait
    bl sum
    mov x23, x0
    ldr x24, [x22, #SUM_OF_SIDE(0)]
    add x3, x22, #DATA /* the complement */
    mov x4, #DATA_BYTES
4:  ldr w0, [x3]
    mvn w0, w0
    str w0, [x3], #4
    subs x4, x4, #4
    b.ne 4b
    bl sum
    str x0, [x22, #SUM_OF_SIDE(1)]
    bl ring
    mov x0, x23
    mov x1, x24
    adr x2, received
#endif
    cmp x0, x1
    adr x3, wrong
    csel x2, x2, x3, eq
    bl print
    mov w0, #0x0008
    movk w0, #0x8400, lsl #16 /* PSCI SYSTEM_OFF */
    smc #0

/* x0: the checksum of the megabyte */
sum:
    mov x0, #0
    add x3, x22, #DATA
    mov x4, #DATA_BYTES
1:  ldr w5, [x3], #4
    ror x0, x0, #1
    add x0, x0, x5
    subs x4, x4, #4
    b.ne 1b
    ret

ring:
    dsb sy /* what was written is there before the other hears of it */
    mov w0, #OTHER
    str w0, [x21, #RING]
    ret

/* Until the other has rung. */
wait:
    cbz x20, 1f
    mrs x0, S3_0_C12_C12_0 /* ICC_IAR1_EL1 */
    cmp w0, #IRQ
    b.ne 2f
    msr S3_0_C12_C12_1, x0 /* ICC_EOIR1_EL1 */
    b 2f
1:  mov x3, #CPU_INTERFACE
    ldr w0, [x3, #0xc] /* GICC_IAR */
    cmp w0, #IRQ
    b.ne 2f
    str w0, [x3, #0x10] /* GICC_EOIR */
2:  ldr w0, [x21, #RUNG]
    cbnz w0, 3f
    wfi
    b wait
3:  str w0, [x21, #RUNG]
    dsb sy
    ret

/* x2: text */
print:
    mov x1, #UART
1:  ldrb w3, [x2], #1
    cbz w3, 2f
    str w3, [x1]
    b 1b
2:  ret

answered:
    .asciz "the answer is right\r\n"
received:
    .asciz "got a megabyte with the right checksum\r\n"
wrong:
    .asciz "the checksum is wrong\r\n"
