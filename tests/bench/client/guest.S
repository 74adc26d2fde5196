// SPDX-License-Identifier: BSD-2-Clause
//
// The guest of the client benchmark (bench.h), at EL1 without an MMU, with a GICv2. It runs where it was copied to. x0 says what there
// is to measure. Each row is ROUNDS rounds; their ticks go to the client's device. Loops of operations cost 2 instructions a round,
// which the client takes off.
#include "bench.h"

    .section .rodata.bench_guest, "a"
    .globl bench_guest, bench_guest_end

// x20 the client's device, x21 the distributor, x22 from where a figure counts, x26 when the handler ran, x28 from where the second
// figure of an interrupt counts (0: from x22).
#define GICC_IAR 0x0c
#define GICC_EOIR 0x10
#define VTIMER 27

.macro measure row, operation:vararg
    ldr w19, =ROUNDS
    isb
    mrs x22, cntvct_el0
1:  \operation
    subs w19, w19, #1
    b.ne 1b
    isb
    mrs x23, cntvct_el0
    sub x0, x23, x22
    mov w1, #\row
    bl report
.endm

.macro call function
    ldr w0, =\function
    smc #0
.endm

.macro version_by_hvc
    mov w0, w2
    hvc #0
.endm

// Sums the ticks of ROUNDS interrupts: x24 until the handler runs, x25 until the interrupted code goes on.
.macro measure_irq row, second, start
    mov x24, #0
    mov x25, #0
    ldr w19, =ROUNDS
1:  mov x26, #0
    bl \start
2:  cbz x26, 2b
    mrs x27, cntvct_el0
    sub x0, x26, x22
    add x24, x24, x0
    sub x0, x27, x28
    add x25, x25, x0
    subs w19, w19, #1
    b.ne 1b
    mov x0, x24
    mov w1, #\row
    bl report
    mov x0, x25
    mov w1, #\second
    bl report
.endm

    .balign 2048
bench_guest:
    b start
    .space 0x280 - (. - bench_guest)
    // IRQ, current level with SP_ELx
    mrs x26, cntvct_el0
    ldr w9, [x29, #GICC_IAR]
    cmp w9, #VTIMER
    b.eq 1f
    cmp w9, #SPI
    b.ne 2f
    str wzr, [x18, #GPIO_IE]
    b 2f
1:  msr cntv_ctl_el0, xzr
    isb
    mov x28, x26
2:  str w9, [x29, #GICC_EOIR]
    eret
    .balign 2048

start:
    mov x17, x0
    adr x1, bench_guest
    msr vbar_el1, x1
    ldr w20, =DEVICE
    ldr w21, =GICD
    ldr w29, =GICC
    ldr w18, =GPIO
    tbz x17, #HAS_IRQS_BIT, 1f
    // Both controllers open; SGI 1, the timer and the GPIO's SPI enabled, the SPI to this CPU.
    mov w0, #1
    str w0, [x21]
    str w0, [x29]
    mov w0, #0xf0
    str w0, [x29, #4]
    ldr w0, =(1 << VTIMER | 2)
    str w0, [x21, #0x100]
    tbz x17, #HAS_SPI_BIT, 1f
    mov w0, #(1 << (SPI % 32))
    str w0, [x21, #(0x100 + SPI / 32 * 4)]
    ldr w0, =(0x01010101)
    str w0, [x21, #(0x800 + SPI / 4 * 4)]
    mov w0, #1
    str w0, [x18, #GPIO_IS] // line 0: a level, low, which is what it always is
    str wzr, [x18, #GPIO_IEV]
    str wzr, [x18, #GPIO_IE]
1:
    measure ROW_SMC, call PSCI_VERSION
    str w0, [x20, #WANTS_CALLBACK]
    measure ROW_SMC_CALLBACK, call VENDOR_CALL
    str wzr, [x20, #WANTS_CALLBACK]
    measure ROW_MMIO_READ, ldr w0, [x20]
    measure ROW_MMIO_WRITE, str w0, [x20]
    tbz x17, #HAS_IRQS_BIT, 9f
    measure ROW_GICD_TYPER, ldr w0, [x21, #4]
    measure ROW_GICD_ISENABLER0, ldr w0, [x21, #0x100]
    mov w2, #0x40
    measure ROW_GICD_WRITE_ISENABLER1, str w2, [x21, #0x104]
    measure ROW_GICD_WRITE_IPRIORITYR, str w2, [x21, #0x428]
    msr daifclr, #2
    measure_irq ROW_SGI, ROW_SGI_EOI, start_sgi
    measure_irq ROW_VTIMER, ROW_VTIMER_EOI, start_timer
    tbz x17, #HAS_SPI_BIT, 9f
    measure_irq ROW_SPI, ROW_SPI_EOI, start_spi
9:  tbz x17, #HAS_HVC_BIT, 9f
    ldr w2, =PSCI_VERSION
    measure ROW_HYPERCALL, version_by_hvc
9:  str wzr, [x20, #END]
    b 9b

start_sgi:
    ldr w0, =(2 << 24 | 1)
    mov x28, #0
    isb
    mrs x22, cntvct_el0
    mov x28, x22
    str w0, [x21, #0xf00]
    ret
start_timer:
    mrs x22, cntvct_el0
    add x22, x22, #100
    msr cntv_cval_el0, x22
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    ret
start_spi:
    mov w0, #1
    isb
    mrs x22, cntvct_el0
    mov x28, x22
    str w0, [x18, #GPIO_IE]
    ret

report: // x0 ticks, w1 row
    str w0, [x20, #TICKS]
    str w1, [x20, #ROW]
    ret
    .ltorg
bench_guest_end:
    .section .note.GNU-stack, "", %progbits
