// SPDX-License-Identifier: BSD-2-Clause
//
// What a switch between two VMs on one CPU costs, at the end of a time slice: each writes the counter to memory that both have, again and again. Who finds
// that the other one has written takes the difference to the last time of the other.
#include "guest.h"
#include "report.inc"

#define SHARED 0x50000000

    .globl main

// x20 where this VM writes, x21 where the other one does, x22 what that was last
main:
    str x30, [sp, #-16]!
    ldr x20, =SHARED
    add x21, x20, #64
#if SIDE == 1
    mov x22, x20
    mov x20, x21
    mov x21, x22
#endif
    mov x24, #0
    mov x19, #0
    isb
    mrs x0, cntvct_el0
    str x0, [x20]
1:  ldr x22, [x21]                   // until the other is there
    cbz x22, 1b
2:  ldr x1, [x21]
    isb
    mrs x0, cntvct_el0
    str x0, [x20]
    cmp x1, x22
    b.eq 2b
    sub x0, x0, x1
    mov x22, x1
#if SIDE == 0
    add x24, x24, x0
    add x19, x19, #1
    cmp x19, #ROUNDS
    b.lo 2b
    mov x0, #1
    str x0, [x20, #8]                // the other may end, too
    mov x0, x24
    adr x1, 3f
    bl report
#else
    ldr x0, [x21, #8]
    cbz x0, 2b
#endif
    ldr x30, [sp], #16
    ret
3:  .asciz "switch"
    .balign 4

    bench_helpers
