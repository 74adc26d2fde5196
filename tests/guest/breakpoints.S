// SPDX-License-Identifier: BSD-2-Clause
//
// A guest's own hardware breakpoint and watchpoint stop it, tell where, and no longer do when they are taken
// away.
#include "guest.h"

#define MDSCR_MDE (1 << 15)
#define MDSCR_KDE (1 << 13)
// E, EL1 (PMC 0b01), all four bytes of the instruction.
#define BREAK_AT_EL1 ((0xf << 5) | (1 << 1) | 1)
// E, EL1, loads and stores (LSC 0b11), the four low bytes.
#define WATCH_AT_EL1 ((0xf << 5) | (3 << 3) | (1 << 1) | 1)
#define SPSR_D_CLEAR 0x8

    .globl main
main:
    msr oslar_el1, xzr
    ldr x0, =(MDSCR_MDE | MDSCR_KDE)
    msr mdscr_el1, x0
    isb
    msr daifclr, #SPSR_D_CLEAR

    // A breakpoint: EC 0x31 at the instruction.
    adr x0, target
    msr dbgbvr0_el1, x0
    ldr x0, =BREAK_AT_EL1
    msr dbgbcr0_el1, x0
    mrs x1, dbgbcr0_el1
    CHECK_SAME(x1, x0)
    isb
    expect 1f
    b target
target:
    nop
    mov x2, #__LINE__
    b guest_fail
1:  seen x0, esr
    lsr x1, x0, #26
    CHECK(x1, 0x31)
    seen x1, elr
    adr x2, target
    CHECK_SAME(x1, x2)
    msr dbgbcr0_el1, xzr
    isb

    // A watchpoint: EC 0x35 with the address.
    msr daifclr, #SPSR_D_CLEAR
    adr x20, watched
    msr dbgwvr0_el1, x20
    ldr x0, =WATCH_AT_EL1
    msr dbgwcr0_el1, x0
    isb
    expect 1f
    str wzr, [x20]
    mov x2, #__LINE__
    b guest_fail
1:  seen x0, esr
    lsr x1, x0, #26
    CHECK(x1, 0x35)
    seen x1, far
    CHECK_SAME(x1, x20)
    msr dbgwcr0_el1, xzr
    isb

    // Both are gone.
    msr daifclr, #SPSR_D_CLEAR
    str wzr, [x20]
    b 2f
2:  nop
    ret

    .balign 8
watched:
    .quad 0
