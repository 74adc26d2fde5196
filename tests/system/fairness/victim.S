// SPDX-License-Identifier: BSD-2-Clause
//
// The well-behaved VM of fairness_test.py: it always wants the CPU and makes no exit while it measures. It looks at the counter again
// and again. What passes between two looks beyond two ticks was somebody else's.
#include "guest.h"

    .globl main
main:
    str x30, [sp, #-16]!
    mrs x19, cntfrq_el0
    mov x0, #1000
    udiv x19, x19, x0          // ticks a millisecond
    isb
    mrs x20, cntvct_el0
    mov x0, #WAIT_MS           // until the other one is at it
    madd x20, x0, x19, x20
1:  isb
    mrs x0, cntvct_el0
    cmp x0, x20
    b.lo 1b

    mov x21, x0                // start
    mov x1, #WINDOW_MS
    madd x22, x1, x19, x0      // end
    mov x23, #0                // somebody else's
    mov x24, #0                // the longest gap
    mov x25, x0                // the last look
2:  isb
    mrs x0, cntvct_el0
    sub x1, x0, x25
    mov x25, x0
    cmp x1, #2
    b.hi 4f
3:  cmp x0, x22
    b.lo 2b
    b 5f
4:  add x23, x23, x1
    cmp x1, x24
    csel x24, x1, x24, hi
    b 3b

5:  sub x26, x25, x21
    adr x0, text_share
    bl print
    sub x0, x26, x23
    mov x1, #10000
    mul x0, x0, x1
    udiv x0, x0, x26
    bl print_decimal
    adr x0, text_gap
    bl print
    mov x1, #1000
    mul x0, x24, x1
    udiv x0, x0, x19
    bl print_decimal
    bl print_newline
    ldr x30, [sp], #16
    ret
text_share: .asciz "victim: share "
text_gap:   .asciz " gap "
