// SPDX-License-Identifier: BSD-2-Clause
//
// Both timers at the ends of their range: times that are over, that never come, that wrap, and TVAL at its limits. An interrupt comes exactly when
// the architecture says so, and no value keeps the CPU from the next one.
#include "guest.h"

// CVAL, and whether the timer has fired: the counter is small against 2^63.
    .macro try_cval cval, control, id, value, fires
    msr daifset, #2
    ldr x0, =\value
    msr \cval, x0
    mov x0, #1
    msr \control, x0
    isb
    mrs x0, \control
    ubfx x0, x0, #2, #1
    CHECK(x0, \fires)
    mrs x1, \cval
    ldr x0, =\value
    CHECK_SAME(x1, x0)
    ldr w21, [x20, #(4 * \id)]
    msr daifclr, #2
    .if \fires
9998: ldr w0, [x20, #(4 * \id)]
    cmp w0, w21
    b.eq 9998b
    .else
    .rept 8
    isb
    .endr
    ldr w0, [x20, #(4 * \id)]
    CHECK_SAME(x0, x21)
    msr \control, xzr
    .endif
    .endm
    .macro try_tval tval, cval, control, id, value, fires
    ldr x0, =\value
    msr \tval, x0
    isb
    mrs x22, \cval
    msr daifset, #2
    mov x0, #1
    msr \control, x0
    isb
    mrs x0, \control
    ubfx x0, x0, #2, #1
    CHECK(x0, \fires)
    mrs x0, \tval                  // 32 bits, sign-extended from the difference
    ldr w21, [x20, #(4 * \id)]
    msr daifclr, #2
    .if \fires
9998: ldr w0, [x20, #(4 * \id)]
    cmp w0, w21
    b.eq 9998b
    .else
    msr \control, xzr
    .endif
    .endm
    .macro both kind, id
    try_cval cnt\kind\()_cval_el0, cnt\kind\()_ctl_el0, \id, 0, 1
    try_cval cnt\kind\()_cval_el0, cnt\kind\()_ctl_el0, \id, 0xffffffffffffffff, 0
    try_cval cnt\kind\()_cval_el0, cnt\kind\()_ctl_el0, \id, 1, 1
    try_cval cnt\kind\()_cval_el0, cnt\kind\()_ctl_el0, \id, 0x7fffffffffffffff, 0
    try_cval cnt\kind\()_cval_el0, cnt\kind\()_ctl_el0, \id, 0x8000000000000000, 0
    try_cval cnt\kind\()_cval_el0, cnt\kind\()_ctl_el0, \id, 0, 1
    try_tval cnt\kind\()_tval_el0, cnt\kind\()_cval_el0, cnt\kind\()_ctl_el0, \id, 0, 1
    try_tval cnt\kind\()_tval_el0, cnt\kind\()_cval_el0, cnt\kind\()_ctl_el0, \id, 0xffffffff, 1
    try_tval cnt\kind\()_tval_el0, cnt\kind\()_cval_el0, cnt\kind\()_ctl_el0, \id, 0x7fffffff, 0
    try_tval cnt\kind\()_tval_el0, cnt\kind\()_cval_el0, cnt\kind\()_ctl_el0, \id, 0xdeadbeef00000000, 1
    .endm

    .globl main
main:
    str x30, [sp, #-16]!
    bl gic_init
    mov w0, #INTID_VTIMER
    bl irq_enable
    mov w0, #INTID_PTIMER
    bl irq_enable
    adrp x20, irq_count
    add x20, x20, :lo12:irq_count
    both v, INTID_VTIMER
    b 1f
    .ltorg
1:  both p, INTID_PTIMER
    msr daifset, #2
    ldr x30, [sp], #16
    ret
    .ltorg

    .globl irq_handler
irq_handler:
    msr cntv_ctl_el0, xzr
    msr cntp_ctl_el0, xzr
    isb
    ret
