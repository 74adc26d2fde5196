// SPDX-License-Identifier: BSD-2-Clause
//
// What one exit costs, in ticks of the virtual counter. Under QEMU's `-icount shift=0` a tick of 62.5 MHz is 16
// instructions; the driver converts. Each line says: name, ticks in total, rounds. Loops of kRounds; the loop itself costs
// 2 instructions a round, which stay in.
#include "guest.h"
#include "report.inc"

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

// Sums the ticks of ROUNDS interrupts: x24 until the handler runs, x25 until the interrupted code goes on.
.macro measure_irq name, second, start
    mov x24, #0
    mov x25, #0
    ldr x19, =ROUNDS
1:  mov x26, #0
    bl \start
2:  cbz x26, 2b
    mrs x27, cntvct_el0
    sub x0, x26, x22
    add x24, x24, x0
    sub x0, x27, x28
    add x25, x25, x0
    subs x19, x19, #1
    b.ne 1b
    mov x0, x24
    adr x1, 3f
    bl report
    mov x0, x25
    adr x1, 4f
    bl report
    b 5f
3:  .asciz "\name"
4:  .asciz "\second"
    .balign 4
5:
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

// Each start sets x22, where the first figure counts from; the handler sets x26. x28 is where the second counts from: the
// start for the software interrupt, the handler for the timers.
start_sgi:
    mov x28, #0
    mov w0, #1
    isb
    mrs x22, cntvct_el0
    mov x28, x22
    b send_self_sgi
start_timer:
    mrs x22, cntvct_el0
    add x22, x22, #100
    msr cntv_cval_el0, x22
    mov x28, #0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    ret
start_sleep:
    msr daifset, #2
    mrs x22, cntvct_el0
    add x22, x22, #1000
    msr cntv_cval_el0, x22
    mov x28, #0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    wfi
    msr daifclr, #2
    ret

irq_handler:
    mov x26, x1
    cmp x0, #INTID_VTIMER
    b.ne 1f
    mov x28, x26
    msr cntv_ctl_el0, xzr
    isb
1:  ret

    bench_helpers
