// SPDX-License-Identifier: BSD-2-Clause
//
// Translation tables where no walk can use them: in read-only memory, whose access flags and dirty state cannot be written (ROM, made by
// walks_test.py), in emulated devices, in the interrupt controller's CPU interface and in nothing at all. Every access through them is a
// synchronous external abort on the walk, with the level of the table; the guest goes on. The lower half of the address space has good
// tables; the upper half's are the odd ones, tried as table of each level.
#include "guest.h"

#define ROM     0x0c000000      // entries of levels 1 and 2, and a page on those of level 3; below: their indices
#define UPPER   0xffffff8000000000
#define UPPER48 0xffff000000000000
#define TCR     (25 | (25 << 16) | (1 << 8) | (1 << 10) | (3 << 12) | (1 << 24) | (1 << 26) | (3 << 28) | (2 << 30) | (2 << 32))
#define HA_HD   (3 << 39)

#define DATA    0x94000000      // EC of data and instruction aborts at EL1, and what of the syndrome is compared
#define FETCH   0x84000000
#define LOOKED_AT 0xfc0001ff    // S1PTW is a matter of stage 2

    .globl main
main:
    str x30, [sp, #-16]!
    // While the MMU is off: the tables are there, stores to them are dropped, cache maintenance of them does nothing.
    ldr x0, =ROM
    ldr x1, [x0]
    ldr x2, =(0x40000000 | (3 << 8) | (1 << 2) | 1)
    CHECK_SAME(x1, x2)
    str xzr, [x0]
    dc cvac, x0
    dc civac, x0
    dc ivac, x0
    ic ivau, x0
    dsb sy
    ldr x1, [x0]
    CHECK_SAME(x1, x2)

    adrp x0, low
    ldr x1, =((1 << 10) | 1)                   // the devices, RAM
    str x1, [x0]
    ldr x1, =(0x40000000 | (1 << 10) | (3 << 8) | (1 << 2) | 1)
    str x1, [x0, #8]
    dsb sy
    msr ttbr0_el1, x0
    ldr x1, =0xff00
    msr mair_el1, x1
    ldr x22, =TCR
    mrs x0, id_aa64mmfr1_el1
    and x23, x0, #0xf                          // hardware management: 0 none, 1 of the access flag, 2 of the dirty state, too
    ldr x1, =HA_HD
    cmp x23, #0
    csel x1, x1, xzr, ne
    orr x22, x22, x1
    msr tcr_el1, x22
    adrp x0, upper_1
    msr ttbr1_el1, x0
    tlbi vmalle1
    dsb sy
    isb
    mrs x1, sctlr_el1
    orr x1, x1, #1
    msr sctlr_el1, x1
    isb

    // Read-only memory.
    ldr x24, =ROM
    add x25, x24, #0x1000
    bl by_level

    // Places without memory: every access fails. In the CPU interface of a GICv2, of which the guest has the real one, too.
    adr x26, places
1:  ldr x24, [x26], #8
    mov x25, x24
    cbz x24, 2f
    bl no_memory
    b 1b
2:
    mrs x1, sctlr_el1
    bic x1, x1, #1
    msr sctlr_el1, x1
    isb
    ldr x30, [sp], #16
    ret

places: .quad UNMAPPED, UART_BASE, GICD_BASE, GICC_BASE, GICR_BASE, RTC_BASE, 0x7ffff000, 0

// x24: the table as one of level 1 or 2, x25: as one of level 3.
by_level:
    str x30, [sp, #-16]!
    cbz x23, flag_in_software
    ldr x19, =UPPER
    mov x20, #0x15
    msr ttbr1_el1, x24
    bl flush
    bl accesses
    mov x20, #0x16
    adrp x0, upper_1
    orr x1, x24, #3
    str x1, [x0]
    msr ttbr1_el1, x0
    bl flush
    bl accesses
    mov x20, #0x17
    adrp x1, upper_2
    orr x2, x25, #3
    str x2, [x1]
    orr x1, x1, #3
    adrp x0, upper_1
    str x1, [x0]
    bl flush
    bl accesses
    // A page that is clean: reads are allowed, and the first store would have to note that it is not clean any more.
    cmp x23, #2
    b.lo 1f
    add x19, x19, #0x1000
    ldr x0, [x19]
    expect 2f
    str x0, [x19]
    b .
2:  mov x21, #0x57
    bl data_abort
1:  ldr x30, [sp], #16
    ret
flag_in_software:
    msr ttbr1_el1, x24
    bl flush
    ldr x19, =UPPER
    expect 1f
    ldr x0, [x19]
    b .
1:  mov x21, #0x09                             // access flag fault, level 1: the guest's own business
    bl data_abort
    ldr x30, [sp], #16
    ret

// The same at each level, the first included.
no_memory:
    str x30, [sp, #-16]!
    ldr x0, =0x3f0000
    bic x1, x22, x0
    orr x1, x1, #(16 << 16)                    // 48 bits: from level 0
    msr tcr_el1, x1
    msr ttbr1_el1, x24
    bl flush
    ldr x19, =UPPER48
    mov x20, #0x14
    bl accesses
    bl translation
    msr tcr_el1, x22
    ldr x19, =UPPER
    msr ttbr1_el1, x24
    bl flush
    mov x20, #0x15
    bl accesses
    mov x20, #0x16
    adrp x0, upper_1
    orr x1, x24, #3
    str x1, [x0]
    msr ttbr1_el1, x0
    bl flush
    bl accesses
    mov x20, #0x17
    adrp x1, upper_2
    orr x2, x24, #3
    str x2, [x1]
    orr x1, x1, #3
    adrp x0, upper_1
    str x1, [x0]
    bl flush
    bl accesses
    bl translation
    ldr x30, [sp], #16
    ret

flush:
    dsb sy
    tlbi vmalle1
    dsb sy
    isb
    ret

// All kinds of accesses to x19, of which each is an abort of status x20.
accesses:
    str x30, [sp, #-16]!
    expect 1f
    ldr x0, [x19]
    b .
1:  mov x21, x20
    bl data_abort
    expect 1f
    strb w0, [x19]
    b .
1:  orr x21, x20, #0x40
    bl data_abort
    expect 1f
    ldp x0, x1, [x19]
    b .
1:  mov x21, x20
    bl data_abort
    expect 1f
    ldr q0, [x19]
    b .
1:  mov x21, x20
    bl data_abort
    expect 1f
    dc civac, x19                              // QEMU does not look where; other CPUs do
    b 2f
1:  orr x21, x20, #0x40
    orr x21, x21, #0x100
    bl data_abort
2:
    expect 1f
    br x19
    b .
1:  seen x0, esr
    ldr x1, =LOOKED_AT
    and x0, x0, x1
    ldr x1, =FETCH
    orr x1, x1, x20
    CHECK_SAME(x0, x1)
    seen x0, far
    CHECK_SAME(x0, x19)
    seen x0, elr
    CHECK_SAME(x0, x19)
    ldr x30, [sp], #16
    ret

// An address translation instruction.
translation:
    str x30, [sp, #-16]!
    expect 1f
    at s1e1r, x19
    b .
1:  orr x21, x20, #0x40
    orr x21, x21, #0x100
    bl data_abort
    ldr x30, [sp], #16
    ret

// x21: the status, with WnR and CM.
data_abort:
    seen x0, esr
    ldr x1, =LOOKED_AT
    and x0, x0, x1
    ldr x1, =DATA
    orr x1, x1, x21
    CHECK_SAME(x0, x1)
    seen x0, far
    CHECK_SAME(x0, x19)
    ret

    .bss
    .balign 4096
low:     .skip 4096
upper_1: .skip 4096
upper_2: .skip 4096
