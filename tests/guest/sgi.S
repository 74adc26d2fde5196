// SPDX-License-Identifier: BSD-2-Clause
//
// All 16 software interrupts pending at once, more than there are list registers: each arrives exactly once, in the order
// of their priorities, and one that is sent again while it is being handled arrives again.
#include "guest.h"

    .globl main, irq_handler
main:
    stp x30, x19, [sp, #-16]!
    bl gic_init
    mov x19, #0
1:  mov x0, x19
    bl irq_enable
    add x19, x19, #1
    cmp x19, #16
    b.lo 1b
    // Priority of SGI n: (15 - n) * 16, so that the highest number comes first.
    adrp x2, gic_is_v3
    ldr w2, [x2, :lo12:gic_is_v3]
    ldr x3, =(GICR_BASE + 0x10400)
    ldr x4, =(GICD_BASE + 0x400)
    cmp w2, #0
    csel x3, x4, x3, eq
    mov x19, #0
2:  mov x0, #15
    sub x0, x0, x19
    lsl x0, x0, #4
    strb w0, [x3, x19]
    add x19, x19, #1
    cmp x19, #16
    b.lo 2b

    mov x19, #0
3:  mov x0, x19
    bl send_self_sgi
    add x19, x19, #1
    cmp x19, #16
    b.lo 3b

    mov x20, #15               // the next one that irq_handler expects
    mov x21, #1                // SGI 5 is sent again from its handler, once
    msr daifclr, #2
    ldr x22, =100000
4:  subs x22, x22, #1
    b.ne 4b
    msr daifset, #2
    mov x19, #0
    adrp x23, irq_count
    add x23, x23, :lo12:irq_count
5:  ldr w0, [x23, x19, lsl #2]
    mov x1, #1
    cmp x19, #5
    cinc x1, x1, eq
    CHECK_SAME(x0, x1)
    add x19, x19, #1
    cmp x19, #16
    b.lo 5b
    ldp x30, x19, [sp], #16
    ret

irq_handler:
    str x30, [sp, #-16]!
    cmp x0, #5
    b.ne 1f
    cbz x21, 2f
    mov x21, #0
    bl send_self_sgi
    mov x0, #5
    b 1f
2:  // The second time: still before SGI 4, since 5 has the higher priority.
    mov x20, #5
1:  CHECK_SAME(x0, x20)
    sub x20, x20, #1
    ldr x30, [sp], #16
    ret
