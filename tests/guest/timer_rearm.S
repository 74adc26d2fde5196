// SPDX-License-Identifier: BSD-2-Clause
//
// The timer's handler sets it again: to a time that is already over, so that the level is still high at the end of the interrupt,
// or (FUTURE) to one that comes before the end. Each time must come.
// variant: past
// variant: future -DFUTURE
#include "guest.h"
    .globl main, irq_handler
main:
    str x30, [sp, #-16]!
    bl gic_init
    mov w0, #INTID_VTIMER
    bl irq_enable
    msr daifclr, #2
    mov x19, #20
    mrs x0, cntvct_el0
    add x0, x0, #2000
    msr cntv_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    mrs x21, cntvct_el0
    ldr x1, =31250000
    add x21, x21, x1         // half a second
1:  mrs x22, cntvct_el0
    cmp x22, x21
    b.hs 2f
    cbnz x19, 1b
2:  CHECK(x19, 0)
    ldr x30, [sp], #16
    ret
irq_handler:
    mrs x1, cntv_ctl_el0
    subs x19, x19, #1
    b.eq 3f
#ifdef FUTURE
    mrs x0, cntvct_el0
    add x0, x0, #50
    msr cntv_cval_el0, x0
    isb
4:  mrs x1, cntv_ctl_el0
    tbz x1, #2, 4b
#else
    mrs x0, cntvct_el0
    sub x0, x0, #1
    msr cntv_cval_el0, x0    // again, and already expired: level still high at EOI
    isb
#endif
    ret
3:  msr cntv_ctl_el0, xzr
    isb
    ret
