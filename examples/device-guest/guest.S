/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest of ../device-c and ../device-cxx, as data of the program: from guest_begin to guest_end, to be put at any multiple of 2048 and
 * entered at its start. It gives the adding device two numbers, sleeps until its interrupt, and reports the sum. It knows a GICv3 and no memory but its own.
 */
#define ADDER 0x0a100000
#define A 0x00
#define B 0x04
#define SUM 0x08
#define ACKNOWLEDGE 0x0c
#define REPORT 0x10

#define DISTRIBUTOR 0x08000000
#define REDISTRIBUTOR 0x080a0000
#define ADDER_BIT (1 << 8) /* interrupt 40, in the registers for 32 to 63 */

    .section .rodata.guest, "a"
    .balign 2048
    .global guest_begin, guest_end
guest_begin:
    adr x0, vectors
    msr vbar_el1, x0

    /* The GIC: this CPU's redistributor is woken, group 1 is on, and the adder's interrupt is enabled. */
    mov x0, #REDISTRIBUTOR
    str wzr, [x0, #0x14]
1:  ldr w1, [x0, #0x14]
    tbnz w1, #2, 1b
    mov x0, #1
    msr S3_0_C12_C12_5, x0 /* ICC_SRE_EL1 */
    isb
    mov x1, #0xf0
    msr S3_0_C4_C6_0, x1   /* ICC_PMR_EL1 */
    msr S3_0_C12_C12_7, x0 /* ICC_IGRPEN1_EL1 */
    isb
    mov x0, #DISTRIBUTOR
    mov w1, #0x12
    str w1, [x0]
    mov w1, #ADDER_BIT
    str w1, [x0, #0x84]  /* GICD_IGROUPR1 */
    str w1, [x0, #0x104] /* GICD_ISENABLER1 */

    mov w20, #0
    mov x21, #ADDER
    mov w1, #20
    str w1, [x21, #A]
    mov w1, #22
    str w1, [x21, #B]
2:  msr daifset, #2
    cbnz w20, 3f
    wfi
    msr daifclr, #2
    isb
    b 2b
3:  ldr w1, [x21, #SUM]
    str w1, [x21, #REPORT]

    mov w0, #0x0008
    movk w0, #0x8400, lsl #16 /* PSCI SYSTEM_OFF */
    smc #0

    .balign 2048
vectors:
    .skip 0x280 /* an interrupt at EL1 with its own stack pointer */
    mrs x10, S3_0_C12_C12_0 /* ICC_IAR1_EL1 */
    str wzr, [x21, #ACKNOWLEDGE]
    mov w20, #1
    msr S3_0_C12_C12_1, x10 /* ICC_EOIR1_EL1 */
    eret
guest_end:
