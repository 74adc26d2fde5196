// SPDX-License-Identifier: BSD-2-Clause
//
// More active interrupts than there are list registers (QEMU has 4), and each comes at once. NESTED: each preempts the one before, and
// they end in reverse (EOImode 0). Otherwise each has dropped its priority, and they are deactivated in no order (EOImode 1).
// variant: nested -DNESTED=1
// variant: split -DNESTED=0
#include "guest.h"
#include "gic.h"
#define COUNT 8
#define FIRST 40
    .globl main
main:
    str x30, [sp, #-16]!
    gic_begin
#if !NESTED
    bl split
#endif
    mov x21, #0
1:  mov w10, #2
    add x1, x21, #FIRST
    mov w2, #0xe0
    sub w2, w2, w21, lsl #4          // each more urgent than the one before
    bl spi_setup
    mov w0, #(1 << (FIRST - 32))
    lsl w0, w0, w21
    str w0, [x20, #0x204]
    bl ack
    add x1, x21, #FIRST
    CHECK_SAME(x0, x1)
#if !NESTED
    bl eoi                           // the priority drop
#endif
    add x21, x21, #1
    cmp x21, #COUNT
    b.ne 1b
    ldr w0, [x20, #0x304]
    CHECK(x0, (0xff << (FIRST - 32)))
    // Each once more: pending and active.
    mov w0, #(0xff << (FIRST - 32))
    str w0, [x20, #0x204]
    bl ack_once
    CHECK(x0, 1023)
#if NESTED
    mov x21, #COUNT
2:  sub x21, x21, #1
    add x0, x21, #FIRST
    bl eoi
    bl ack                           // its second time, while the less urgent ones still run
    add x1, x21, #FIRST
    CHECK_SAME(x0, x1)
    bl eoi
    cbnz x21, 2b
#else
    mov x21, #0
2:  mov x22, #5
    mul x0, x21, x22
    and x0, x0, #7
    add x23, x0, #FIRST
    mov x0, x23
    bl deactivate
    bl ack
    CHECK_SAME(x0, x23)
    bl eoi
    mov x0, x23
    bl deactivate
    add x21, x21, #1
    cmp x21, #COUNT
    b.ne 2b
#endif
    ldr w0, [x20, #0x304]
    CHECK(x0, 0)
    bl ack_once
    CHECK(x0, 1023)
    ldr x30, [sp], #16
    ret
split:
    cbz x19, 1f
    mov x0, #2
    msr s3_0_c12_c12_4, x0           // ICC_CTLR_EL1.EOImode
    isb
    ret
1:  ldr x1, =GICC_BASE
    mov w0, #0x201
    str w0, [x1]
    ret
deactivate:
    cbz x19, 1f
    msr s3_0_c12_c11_1, x0           // ICC_DIR_EL1
    isb
    ret
1:  ldr x16, =(GICC_BASE + 0x1000)
    str w0, [x16]                    // GICC_DIR
    ret
    gic_helpers
