// SPDX-License-Identifier: BSD-2-Clause
//
// More active interrupts than there are list registers (QEMU has 4), none of which has an active priority: with EOImode 0 the next one of the
// same priority is signalled all the same. CLEARED: the guest has written the active priorities. Otherwise it has dropped the
// priorities with EOImode 1.
// variant: cleared -DCLEARED=1
// variant: dropped -DCLEARED=0
#include "guest.h"
#include "gic.h"
#define COUNT 7
#define FIRST 40
    .globl main
main:
    str x30, [sp, #-16]!
    gic_begin
    mov w0, #0x201
    bl set_mode
    mov x21, #0
1:  mov w10, #2
    add x1, x21, #FIRST
    mov w2, #0x80
    bl spi_setup
#if CLEARED
    mov w0, #1
    bl set_mode
#endif
    mov w0, #(1 << (FIRST - 32))
    lsl w0, w0, w21
    str w0, [x20, #0x204]
    bl ack
    add x1, x21, #FIRST
    CHECK_SAME(x0, x1)
#if CLEARED
    bl clear_active_priorities
#else
    bl eoi                           // the priority drop
    cmp x21, #3
    b.ne 2f
    mov w0, #1
    bl set_mode                      // the rest with EOImode 0
2:
    cmp x21, #3
    b.le 3f
    ldr w0, [x20, #0x304]
    CHECK(x0, 0xf00)                 // ended at once, and what was dropped before is still active
3:
#endif
    add x21, x21, #1
    cmp x21, #COUNT
    b.ne 1b
#if CLEARED
    ldr w0, [x20, #0x304]
    CHECK(x0, (0x7f << (FIRST - 32)))
#endif
    // A wait ends, too, and at once: the timer.
    cbz x19, 4f
    ldr x1, =(GICR_BASE + 0x10000)
    b 5f
4:  mov x1, x20
5:  mov w0, #0x80
    strb w0, [x1, #(0x400 + INTID_VTIMER)]
    mov w0, #(1 << INTID_VTIMER)
    cbz x19, 6f
    ldr w2, [x1, #0x80]
    orr w2, w2, w0
    str w2, [x1, #0x80]
6:  str w0, [x1, #0x100]
    mrs x0, cntvct_el0
    msr cntv_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    wfi
    bl ack
    CHECK(x0, INTID_VTIMER)
    msr cntv_ctl_el0, xzr
    isb
    bl eoi
    // With EOImode 1 again, all can be deactivated, whoever has a list register.
    mov w0, #0x201
    bl set_mode
    mov x21, #0
7:  add x0, x21, #FIRST
    cbz x19, 8f
    msr s3_0_c12_c11_1, x0           // ICC_DIR_EL1
    isb
    b 9f
8:  ldr x16, =(GICC_BASE + 0x1000)
    str w0, [x16]                    // GICC_DIR
9:  add x21, x21, #1
    cmp x21, #COUNT
    b.ne 7b
    ldr w0, [x20, #0x304]
    CHECK(x0, 0)
    ldr x30, [sp], #16
    ret
// w0: GICC_CTLR; on GICv3 its EOImode in ICC_CTLR_EL1
set_mode:
    cbz x19, 1f
    lsr w0, w0, #8
    msr s3_0_c12_c12_4, x0
    isb
    ret
1:  ldr x1, =GICC_BASE
    str w0, [x1]
    ret
clear_active_priorities:
    cbz x19, 1f
    msr s3_0_c12_c9_0, xzr           // ICC_AP1R0_EL1
    isb
    ret
1:  ldr x16, =GICC_BASE
    str wzr, [x16, #0xd0]            // GICC_APR0
    ret
    gic_helpers
