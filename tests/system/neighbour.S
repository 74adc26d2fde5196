// SPDX-License-Identifier: BSD-2-Clause
//
// The other VM of neighbours_test.py: one bad habit, chosen when it is assembled (-DHABIT=name), that it never gives up.
#include "guest.h"

    .globl main, irq_handler
main:
    adr x0, text_here
    bl print
    b HABIT

// Every interrupt masked, and not one exit.
spin:
    msr daifset, #15
    b .

// Not a single instruction: fetches where nothing is, vectors included.
fetch:
    ldr x0, =UNMAPPED
    msr vbar_el1, x0
    isb
    br x0

// Loads, stores and calls with nonsense in them: tests/guest/hostile.S, again and again.
noise:
    bl hostile
    b noise

// The same with everything that is odd about instructions, the interrupt controller and translation tables: other guests of tests/guest.
oddities:
    bl odd_accesses
    bl lost_translation
    bl gic_ones
    b oddities

calls:
    ldr w0, =PSCI_VERSION
    hvc #0
    ldr w0, =0xc3001234
    smc #0
    b calls

// Offers the CPU for ever, and waits for events that never come.
yields:
    wfe
    yield
    b yields

// Boots, and boots, and boots.
resets:
    ldr w0, =PSCI_SYSTEM_RESET
    hvc #0
    b .

// An interrupt that is pending again whenever it has been handled.
storm:
    bl gic_init
    mov w0, #5
    bl irq_enable
    mov w0, #5
    bl send_self_sgi
    msr daifclr, #2
    b .

// A timer that has always fired.
late:
    bl gic_init
    mov w0, #INTID_VTIMER
    bl irq_enable
    msr cntv_cval_el0, xzr
    mov x0, #1
    msr cntv_ctl_el0, x0
    msr daifclr, #2
    b .

// Prints without an end, and without the end of a line.
chatter:
    mov w0, #'x'
    bl put_char
    b chatter

// Turns its last CPU off: an end that is an error.
quits:
    ldr w0, =PSCI_CPU_OFF
    hvc #0
    b .

panics:
    adr x0, text_here
    bl print
    adr x0, text_panic
    bl print
    b .

// The same words, from somebody who is alive: still there when a kernel's time to switch off is over.
jokes:
    adr x0, text_panic
    bl print
still_there:
    mrs x19, cntfrq_el0
    mrs x20, cntvct_el0
    add x20, x20, x19, lsl #1
    add x20, x20, x19
1:  isb
    mrs x0, cntvct_el0
    cmp x0, x20
    b.lo 1b
    adr x0, text_still
    bl print
    b guest_off

// Says it with another VM's mark.
forges:
    adr x0, text_forged
    bl print
    b still_there

// Waits for a key, and ends well.
asks:
    mov x1, #UART_BASE
    mov w0, #0x301
    str w0, [x1, #UART_CR]
1:  ldr w0, [x1, #UART_FR]
    tbnz w0, #UART_FR_RXFE, 1b
    b guest_pass

irq_handler:
    cmp x0, #5
    b.ne 1f
    str x30, [sp, #-16]!
    bl send_self_sgi
    ldr x30, [sp], #16
1:  ret

text_here:  .asciz "neighbour: here\n"
text_still: .asciz "neighbour: still there\n"
text_forged: .asciz "other| Kernel panic - not syncing: forged\n\rother| Kernel panic - not syncing: forged\n"
text_panic: .asciz "[    1.234567] Kernel panic - not syncing: on purpose\n"
