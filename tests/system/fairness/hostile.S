// SPDX-License-Identifier: BSD-2-Clause
//
// The other VMs of fairness_test.py: one way, chosen by -DHABIT=name when it is assembled, to want more than a fair share.
// Each goes on for ever. With -DEVERYBODY, all vCPUs of the VM do it.
#include "guest.h"

#ifndef WORK_US
#define WORK_US 9000
#endif
#ifndef SLEEP_US
#define SLEEP_US 20
#endif

    .globl main, irq_handler
main:
    bl gic_init
    mrs x19, cntfrq_el0
    ldr x0, =1000000
    udiv x28, x19, x0          // ticks a microsecond
    ldr x27, =GICD_BASE
    mov x26, #UART_BASE
#ifdef EVERYBODY
    mov x20, #1
1:  ldr w0, =PSCI_CPU_ON_64
    mov x1, x20
    adr x2, secondary
    mov x3, x20
    hvc #0
    add x20, x20, #1
    cbz x0, 1b                 // until there is no such CPU
#endif
    b HABIT

// A vCPU with a stack and an interrupt interface of its own.
secondary:
    adrp x9, stacks
    add x9, x9, :lo12:stacks
    lsl x0, x0, #12
    add x9, x9, x0
    mov sp, x9
    adrp x9, vectors
    add x9, x9, :lo12:vectors
    msr vbar_el1, x9
    isb
    bl gic_cpu_init
    mrs x19, cntfrq_el0
    ldr x0, =1000000
    udiv x28, x19, x0
    ldr x27, =GICD_BASE
    mov x26, #UART_BASE
    b HABIT

// Computes, and nothing else.
spin:
    b .

// Works a while and sleeps for a moment: WFI ends by a timer whose interrupt stays masked.
sleeper:
    mov w0, #INTID_VTIMER
    bl irq_enable
    ldr x1, =WORK_US
    mul x20, x1, x28
    ldr x1, =SLEEP_US
    mul x21, x1, x28
1:  isb
    mrs x0, cntvct_el0
    add x22, x0, x20
2:  isb
    mrs x0, cntvct_el0
    cmp x0, x22
    b.lo 2b
    add x0, x0, x21
    msr cntv_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    wfi
    msr cntv_ctl_el0, xzr
    isb
    b 1b

// Sleeps to just before the end of a slice after it was woken, by a timer that the host keeps (the physical one).
physical_sleeper:
    mov w0, #INTID_PTIMER
    bl irq_enable
    ldr x1, =SLEEP_US
    mul x21, x1, x28
1:  isb
    mrs x0, cntpct_el0
    add x0, x0, x21
    msr cntp_cval_el0, x0
    mov x0, #1
    msr cntp_ctl_el0, x0
    isb
    wfi
    msr cntp_ctl_el0, xzr
    isb
    b 1b

// Boots, and boots, and boots.
resets:
    ldr w0, =PSCI_SYSTEM_RESET
    hvc #0
    b .

// An interrupt that is sent again whenever it has been handled.
sgi:
    mov w0, #5
    bl irq_enable
    mov w0, #5
    bl send_self_sgi
    msr daifclr, #2
    b .

// To everybody else, without an end.
sgi_to_all:
    mov w0, #5
    bl irq_enable
    msr daifclr, #2
    mrs x0, id_aa64pfr0_el1
    ubfx x20, x0, #24, #4
    ldr w1, =0x01000005        // GICv2: to all but the sender
    mov x2, #(5 << 24)
    movk x2, #0x0100, lsl #32  // GICv3: the same
1:  cbnz x20, 2f
    str w1, [x27, #0xf00]
    b 1b
2:  msr s3_0_c12_c11_5, x2
    b 1b

// A timer that has always fired.
timer:
    mov w0, #INTID_VTIMER
    bl irq_enable
    msr cntv_cval_el0, xzr
    mov x0, #1
    msr cntv_ctl_el0, x0
    msr daifclr, #2
    b .

// A timer one tick ahead, and asleep until then.
timer_ahead:
    mov w0, #INTID_VTIMER
    bl irq_enable
1:  isb
    mrs x0, cntvct_el0
    add x0, x0, #1
    msr cntv_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    wfi
    b 1b

// Accesses that the host emulates, and system registers.
exits:
    ldr w0, [x27, #4]
    ldr w0, [x26, #UART_IBRD]
    str w0, [x26, #UART_IBRD]
    mrs x1, id_aa64isar0_el1
    mrs x1, cntp_ctl_el0
    b exits

calls:
    ldr w0, =PSCI_VERSION
    hvc #0
    ldr w0, =0xc3001234
    smc #0
    b calls

// Offers the CPU for ever.
yields:
    wfe
    yield
    b yields

// Turns another vCPU on, which turns itself off.
cpu_off_on:
    mrs x0, mpidr_el1
    and x0, x0, #0xff
    cbnz x0, turn_off
1:  mov x1, #1
    adr x2, turn_off
    mov x3, #0
    ldr w0, =PSCI_CPU_ON_64
    hvc #0
    yield
    b 1b
turn_off:
    ldr w0, =PSCI_CPU_OFF
    hvc #0
    b .

output:
    mov w0, #'x'
    str w0, [x26, #UART_DR]
    b output

// Where nothing is, where a device is but by instructions without a syndrome, and instructions that do not exist.
faults:
    adr x0, skip_vectors
    msr vbar_el1, x0
    isb
    ldr x1, =UNMAPPED
1:  ldr x0, [x1]
    ldp x2, x3, [x1]
    ldp w2, w3, [x26, #UART_IBRD]
    dc zva, x1
    dc zva, x26
    ldr q0, [x26, #0x20]
    .word 0
    b 1b

// Uses the SIMD registers, so that each switch moves them.
simd:
    mov w0, #INTID_VTIMER
    bl irq_enable
1:  fmov d0, x28
    fadd d1, d0, d0
    isb
    mrs x0, cntvct_el0
    add x0, x0, #50
    msr cntv_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    wfi
    b 1b

irq_handler:
    cmp x0, #5
    b.ne 1f
    str x30, [sp, #-16]!
    mov w0, #5
    bl send_self_sgi
    ldr x30, [sp], #16
1:  ret

    .balign 2048
skip_vectors:
    .rept 16
    .balign 128
    mrs x16, elr_el1
    add x16, x16, #4
    msr elr_el1, x16
    eret
    .endr

    .bss
    .balign 4096
stacks:
    .skip 9 * 4096
