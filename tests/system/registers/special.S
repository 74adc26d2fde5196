// SPDX-License-Identifier: BSD-2-Clause
//
// Registers that a guest cannot change and go on, and those that are no system registers.
#include "registers.h"

    .globl windows, general_registers
// -- what a guest cannot change and go on ------------------------------------------------------------------------------
// Between the write and the read nothing touches memory and nothing is taken at EL1.
.macro window name, id, mask
    mov w20, #((\id) & 0xffff)
    bl pattern
    ldr x1, =(\mask)
    and x0, x0, x1
    mrs x11, \name
    bic x1, x11, x1
    orr x0, x0, x1
    ldr x3, =SPINS                 // longer than a time slice
    msr \name, x0
    isb
    mrs x21, \name
9:  sub x3, x3, #1
    cbnz x3, 9b
    mrs x0, \name
    msr \name, x11
    isb
    bl compare
.endm
windows:
    mov x24, x30
    msr mdscr_el1, xzr
    isb
    window sctlr_el1, ID(3, 0, 1, 0, 0), 0xfffffffffffffffe
    window cpacr_el1, ID(3, 0, 1, 0, 2), 0xffffffffffffffff
    window spsr_el1, ID(3, 0, 4, 0, 0), 0xffffffffffffffff
    window elr_el1, ID(3, 0, 4, 0, 1), 0xffffffffffffffff
    window esr_el1, ID(3, 0, 5, 2, 0), 0xffffffffffffffff
    window far_el1, ID(3, 0, 6, 0, 0), 0xffffffffffffffff
    window vbar_el1, ID(3, 0, 12, 0, 0), 0xffffffffffffffff
    window cntkctl_el1, ID(3, 0, 14, 1, 0), 0xffffffffffffffff
    window daif, ID(3, 3, 4, 2, 1), 0x3c0
    window nzcv, ID(3, 3, 4, 2, 0), 0xf0000000
    // The stack pointers of both kinds, and which of them is in use.
    mov w20, #ID(3, 4, 4, 1, 0)
    bl pattern
    mov x21, x0
    mov x11, sp
    mrs x12, sp_el0
    ldr x3, =SPINS
    mov sp, x0
9:  sub x3, x3, #1
    cbnz x3, 9b
    mov x0, sp
    mov sp, x11
    bl compare
    mov w20, #ID(3, 0, 4, 1, 0)
    bl pattern
    mov x21, x0
    ldr x3, =SPINS
    msr spsel, #0
    mov sp, x0
9:  sub x3, x3, #1
    cbnz x3, 9b
    mov x0, sp
    mrs x13, spsel
    msr spsel, #1
    bl compare
    mov w20, #ID(3, 0, 4, 2, 0)
    mov x21, #0
    mov x0, x13
    bl compare
    msr sp_el0, x12
    ret x24

// -- general and SIMD registers ----------------------------------------------------------------------------------------
// x0 to x30 are reported as ids 0 to 30, the halves of v0 to v31 as 32 to 95.
.macro simd instruction
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \instruction q\n, [x0, #(16 * \n)]
    .endr
.endm
general_registers:
    stp x19, x20, [sp, #-112]!
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    ldr x0, [sp]                   // the round
    mov x19, x0
    sub sp, sp, #768               // 96 words: x0-x30, one spare, v0-v31
    mov x3, sp
    mov w20, #0
1:  bl pattern
    str x0, [x3], #8
    add w20, w20, #1
    cmp w20, #96
    b.ne 1b
    add x0, sp, #256
    simd ldr
    sub sp, sp, #256
    ldr x0, =(SPINS * 16)
    msr sp_el0, x0
    // x30 last, since it is the base; what is found goes below.
    add x30, sp, #256
    ldp x0, x1, [x30]
    ldp x2, x3, [x30, #16]
    ldp x4, x5, [x30, #32]
    ldp x6, x7, [x30, #48]
    ldp x8, x9, [x30, #64]
    ldp x10, x11, [x30, #80]
    ldp x12, x13, [x30, #96]
    ldp x14, x15, [x30, #112]
    ldp x16, x17, [x30, #128]
    ldp x18, x19, [x30, #144]
    ldp x20, x21, [x30, #160]
    ldp x22, x23, [x30, #176]
    ldp x24, x25, [x30, #192]
    ldp x26, x27, [x30, #208]
    ldp x28, x29, [x30, #224]
    ldr x30, [x30, #240]
    msr spsel, #0                  // SP_EL0 counts, since nothing else is left
9:  sub sp, sp, #16
    cmp sp, #0
    b.ne 9b
    msr spsel, #1
    stp x0, x1, [sp]
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x19, [sp, #144]
    stp x20, x21, [sp, #160]
    stp x22, x23, [sp, #176]
    stp x24, x25, [sp, #192]
    stp x26, x27, [sp, #208]
    stp x28, x29, [sp, #224]
    str x30, [sp, #240]
    ldr x28, [sp, #(256 + 768 + 72)]
    mov x3, sp
    add x4, sp, #256
    mov w20, #0
2:  ldr x0, [x3], #8
    ldr x21, [x4], #8
    bl compare
    add w20, w20, #1
    cmp w20, #31
    b.ne 2b
    sub sp, sp, #256
    mov x0, sp
    simd str
    mov x3, sp
    add x4, sp, #(512 + 256)
    mov w20, #32
3:  ldr x0, [x3], #8
    ldr x21, [x4], #8
    bl compare
    add w20, w20, #1
    cmp w20, #96
    b.ne 3b
    add sp, sp, #(512 + 768)
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp x19, x20, [sp], #112
    ret
