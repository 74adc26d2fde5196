// SPDX-License-Identifier: BSD-2-Clause
//
// Accesses whose address the host cannot find by asking the guest's tables: an instruction that is still in the TLB when its tables have gone,
// and one that EL0 may execute, but not read. Each ends in what a CPU would do, not in trying for ever.
#include "guest.h"

#define ALIAS   0x80000000
#define DEVICE  0x80001000
#define NORMAL_PAGE ((1 << 10) | (3 << 8) | (1 << 2) | 3)
#define DEVICE_PAGE ((1 << 10) | 3)

    .globl main
main:
    str x30, [sp, #-16]!
    adrp x0, low
    ldr x1, =((1 << 10) | 1)
    str x1, [x0]
    ldr x1, =(0x40000000 | (1 << 10) | (3 << 8) | (1 << 2) | 1)
    str x1, [x0, #8]
    adrp x1, middle
    orr x2, x1, #3
    str x2, [x0, #16]
    adrp x20, pages
    orr x2, x20, #3
    str x2, [x1]
    adrp x1, code
    ldr x2, =NORMAL_PAGE
    orr x21, x1, x2
    str x21, [x20]
    dsb sy
    msr ttbr0_el1, x0
    ldr x1, =0xff00
    msr mair_el1, x1
    ldr x1, =(25 | (1 << 8) | (1 << 10) | (3 << 12) | (1 << 23) | (2 << 32))
    msr tcr_el1, x1
    tlbi vmalle1
    dsb sy
    isb
    mrs x1, sctlr_el1
    orr x1, x1, #1
    msr sctlr_el1, x1
    isb

    // The page of a load pair from a device goes while the CPU may still execute from it. A CPU that has forgotten it aborts the fetch, one
    // that has not loads.
    mov x22, #UART_BASE
    ldr x23, =ALIAS
    add x0, x23, #8
    blr x0                                     // remembered from here on
    str xzr, [x20]
    expect 1f
    blr x23
    b 2f
1:  bl is_gone
2:  str x21, [x20]
    bl flush
    blr x23                                    // with its page again, it loads
    add x0, x23, #8
    blr x0
    // The same with tables that are no memory any more.
    adrp x24, middle
    ldr x25, [x24]
    ldr x0, =(UNMAPPED | 3)
    str x0, [x24]
    expect 1f
    blr x23
    b 2f
1:  seen x0, esr
    ldr x1, =0xfc0001ff
    and x0, x0, x1
    ldr x1, =0x84000017                        // external abort on the walk, level 3
    CHECK_SAME(x0, x1)
    seen x0, far
    CHECK_SAME(x0, x23)
2:  str x25, [x24]
    bl flush

    // EL0 executes from the pages of devices, of which one is the CPU interface of a GICv2.
    adr x0, el0_vectors
    msr vbar_el1, x0
    ldr x24, =GICC_BASE
    bl execute_at_el0
    mov x24, #UART_BASE
    bl execute_at_el0
    ldr x24, =UNMAPPED
    bl execute_at_el0
    mrs x1, sctlr_el1
    bic x1, x1, #1
    msr sctlr_el1, x1
    isb
    ldr x30, [sp], #16
    ret

flush:
    dsb sy
    tlbi vmalle1
    dsb sy
    isb
    ret

// A translation fault of a fetch at x23, level 3.
is_gone:
    seen x0, esr
    ldr x1, =0xfc0001ff
    and x0, x0, x1
    ldr x1, =0x84000007
    CHECK_SAME(x0, x1)
    seen x0, far
    CHECK_SAME(x0, x23)
    seen x0, elr
    CHECK_SAME(x0, x23)
    ret

// x24: a page that EL0 may execute and not read, EL1 read and not execute.
execute_at_el0:
    str x30, [sp, #-16]!
    ldr x0, =(DEVICE_PAGE | (1 << 53))
    orr x0, x0, x24
    str x0, [x20, #8]
    bl flush
    ldr x25, =DEVICE
    msr elr_el1, x25
    msr spsr_el1, xzr
    eret
from_el0:
    mrs x0, esr_el1
    ldr x1, =0xfc0001ff
    and x0, x0, x1
    ldr x1, =0x80000010                        // instruction abort from EL0, external
    CHECK_SAME(x0, x1)
    mrs x0, elr_el1
    CHECK_SAME(x0, x25)
    mrs x0, far_el1
    CHECK_SAME(x0, x25)
    ldr x30, [sp], #16
    ret

    .balign 2048
el0_vectors:
    .rept 8
    .balign 128
    mov x0, #0
    mov x1, #0
    mov x2, #__LINE__
    b guest_fail
    .endr
    .balign 128
    b from_el0
    .rept 7
    .balign 128
    mov x0, #0
    mov x1, #0
    mov x2, #__LINE__
    b guest_fail
    .endr

    .balign 4096
code:
    ldp w0, w1, [x22, #0x24]                   // without a syndrome
    ret
    ret                                        // at 8

    .bss
    .balign 4096
low:    .skip 4096
middle: .skip 4096
pages:  .skip 4096
