// SPDX-License-Identifier: BSD-2-Clause
//
// What one exit costs, in ticks of the virtual counter. Under QEMU's `-icount shift=0` a tick of 62.5 MHz is 16
// instructions; the driver converts. Each line says: name, ticks in total, rounds. Loops of kRounds; the loop itself costs
// 2 instructions a round, which stay in.
#include "guest.h"
#include "irq_rows.inc"

    .globl main, irq_handler

// Runs `operation` ROUNDS times; prints name and ticks. x20 is UART_BASE, x21 GICD_BASE.
.macro measure name, operation:vararg
    ldr x19, =ROUNDS
    isb
    mrs x22, cntvct_el0
1:  \operation
    subs x19, x19, #1
    b.ne 1b
    isb
    mrs x23, cntvct_el0
    sub x0, x23, x22
    adr x1, 2f
    bl report
    b 3f
2:  .asciz "\name"
    .balign 4
3:
.endm

// The result of the last call is in the way of the next one's number.
.macro version_call
    mov w0, w28
    hvc #0
.endm

main:
    str x30, [sp, #-16]!
    bl gic_init
    mov w0, #1
    bl irq_enable
    mov w0, #INTID_VTIMER
    bl irq_enable
    mov x20, #UART_BASE
    ldr x21, =GICD_BASE
    ldr w28, =PSCI_VERSION
    measure hypercall version_call
    measure mmio_read ldr w0, [x20, #UART_IBRD]
    measure mmio_write str w0, [x20, #UART_IBRD]
    measure mmio_read_x28 ldr w28, [x20, #UART_IBRD]
    measure mmio_write_x28 str w28, [x20, #UART_IBRD]
    measure gicd_read ldr w0, [x21, #4]
    msr daifclr, #2
    measure_irq sgi_self, sgi_self_eoi, start_sgi
    measure_irq vtimer, vtimer_eoi, start_timer
    measure_irq wfi_wake, wfi_wake_eoi, start_sleep
    ldr x30, [sp], #16
    ret

    irq_row_helpers
