// SPDX-License-Identifier: BSD-2-Clause
//
// The virtual and the physical timer raise their interrupts at the right time, again and again, awake and asleep.
#include "guest.h"

    .globl main, irq_handler
main:
    str x30, [sp, #-16]!
    bl gic_init
    mov w0, #INTID_VTIMER
    bl irq_enable
    mov w0, #INTID_PTIMER
    bl irq_enable
    msr daifclr, #2

    // 100 virtual timer interrupts while the guest spins.
    mov x19, #100
    bl arm_virtual
1:  adrp x0, irq_count
    add x0, x0, :lo12:irq_count
    ldr w0, [x0, #(4 * INTID_VTIMER)]
    cmp w0, #100
    b.lo 1b
    CHECK(x0, 100)

    // 100 more while it sleeps: each wait ends, and not before the time has come.
    mov x20, #100
2:  mov x19, #1
    msr daifset, #2            // an interrupt between here and the wait must end the wait, not precede it
    bl arm_virtual
    mrs x21, cntv_cval_el0
    wfi
    msr daifclr, #2
4:  cbnz x19, 4b
    mrs x22, cntvct_el0
    cmp x22, x21
    b.hs 3f
    mov x0, x22
    mov x1, x21
    mov x2, #__LINE__
    b guest_fail
3:  subs x20, x20, #1
    b.ne 2b
    adrp x0, irq_count
    add x0, x0, :lo12:irq_count
    ldr w0, [x0, #(4 * INTID_VTIMER)]
    CHECK(x0, 200)

    // The physical timer: counter, compare value, status bit and interrupt.
    mrs x0, cntpct_el0
    add x0, x0, #2000
    msr cntp_cval_el0, x0
    mrs x1, cntp_cval_el0
    CHECK_SAME(x0, x1)
    mov x1, #1
    msr cntp_ctl_el0, x1
    isb
5:  msr daifset, #2
    mrs x0, cntp_ctl_el0
    tbz x0, #0, 6f             // the handler turned it off
    wfi
6:  msr daifclr, #2
    isb
    adrp x0, irq_count
    add x0, x0, :lo12:irq_count
    ldr w0, [x0, #(4 * INTID_PTIMER)]
    cbz w0, 5b
    CHECK(x0, 1)
    ldr x30, [sp], #16
    ret

arm_virtual:
    mrs x0, cntvct_el0
    add x0, x0, #2000
    msr cntv_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    ret

// Counts x19 down and arms the timer again until it is 0. The handler owns x19.
irq_handler:
    cmp x0, #INTID_PTIMER
    b.eq 1f
    mrs x1, cntv_ctl_el0
    tbz x1, #2, 2f             // ISTATUS: it must be the reason
    subs x19, x19, #1
    b.ne arm_virtual
    msr cntv_ctl_el0, xzr
    isb
    ret
1:  mrs x1, cntp_ctl_el0
    tbz x1, #2, 2f
    msr cntp_ctl_el0, xzr
    isb
    ret
2:  mov x2, #__LINE__
    b guest_fail
