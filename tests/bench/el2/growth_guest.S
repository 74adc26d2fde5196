// SPDX-License-Identifier: BSD-2-Clause
//
// The guest of growth.c: reads each of the reservations in turn, and reports the ticks of all. The loop takes 3 instructions beside the read.
#include "growth.h"

    .section .rodata.growth_guest, "a"
    .globl growth_guest, growth_guest_end

growth_guest:
    mov w19, #ROUNDS
    mov x22, #STEP
    isb
    mrs x20, cntvct_el0
1:  mov w21, #FEW
    mov x23, #FIRST
2:  ldr w0, [x23]
    add x23, x23, x22
    subs w21, w21, #1
    b.ne 2b
    subs w19, w19, #1
    b.ne 1b
    isb
    mrs x0, cntvct_el0
    sub x0, x0, x20
    mov x1, #REPORT
    str w0, [x1]
    b .
growth_guest_end:
