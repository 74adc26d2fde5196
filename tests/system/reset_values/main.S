// SPDX-License-Identifier: BSD-2-Clause
//
// Says what every register of the table in docs/aarch64.md holds: at the start of the boot vCPU, after SYSTEM_RESET, and of a second vCPU
// that is turned on for the first time and for the second. In between each of them writes all that it can. reset_values_test.py makes
// rows.inc and compares. Lines: `phase NAME`, `value ROW HEX`, `undefined ROW`.
#include "guest.h"

#define RTC_DR 0x0
#define RTC_LR 0x8
#define UNDEFINED_MARK 0x5edefedbadc0ffee

    .globl main
main:
    str x30, [sp, #-16]!
    adrp x0, start_values
    add x0, x0, :lo12:start_values
    ldp x26, x27, [x0]
    ldr x28, [x0, #16]
    mov x24, #0                    // lib.S has used some of the general registers
    mov x25, #0
    bl collect
    adr x0, text_start
    bl show

#ifndef BOARD
    ldr x20, =RTC_BASE             // keeps what it is set to over a reset: 100 in the first boot
    ldr w0, [x20, #RTC_DR]
    ldr w1, =1000000000
    cmp w0, w1
    b.lo 9f
#endif
    bl turn_on
    bl turn_on
#ifndef BOARD
    mov w2, #100
    str w2, [x20, #RTC_LR]
    adr x19, 1f
    b spoil
1:  load x0, PSCI_SYSTEM_RESET
    hvc #0
    mov x2, #__LINE__
    b guest_fail
#endif
9:  ldr x30, [sp], #16
    ret

// The second vCPU, until it is off again.
turn_on:
    adrp x19, second_done
    str wzr, [x19, :lo12:second_done]
    load x0, PSCI_CPU_ON_64
    mov x1, #1
    adr x2, second
    mov x3, #0
    hvc #0
    CHECK(x0, 0)
1:  ldr w0, [x19, :lo12:second_done]
    cbz w0, 1b
1:  load x0, PSCI_AFFINITY_INFO
    mov x1, #1
    mov x2, #0
    hvc #0
    cmp x0, #1
    b.ne 1b
    ret

second:
    orr x24, x0, x1                // all general registers in one
    .irp n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,25,26,27,28,29,30
    orr x24, x24, x\n
    .endr
    mov x26, sp
    mrs x27, vbar_el1
    mrs x28, cpacr_el1
    adrp x9, second_stack
    add sp, x9, :lo12:second_stack
    adrp x9, vectors
    add x9, x9, :lo12:vectors
    msr vbar_el1, x9
    mov x9, #(3 << 20)
    msr cpacr_el1, x9
    isb
    mov x25, #0                    // and all SIMD registers
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmov x9, d\n
    orr x25, x25, x9
    fmov x9, v\n\().d[1]
    orr x25, x25, x9
    .endr
    bl collect
    adr x0, text_second
    bl show
    adrp x9, second_done
    mov w10, #1
    str w10, [x9, :lo12:second_done]
    adr x19, 1f
    b spoil
1:  load x0, PSCI_CPU_OFF
    hvc #0
    b .

// Reads every row into memory. x24 to x28 are values of rows that have a name here. Exceptions come last, and then change some of them.
    .macro row number, register
    expect 9998f
    mrs x0, \register
    b 9997f
9998: ldr x0, =UNDEFINED_MARK
9997: str x0, [x20, #(8 * \number)]
    .endm
    .macro saved number, register
    str \register, [x20, #(8 * \number)]
    .endm
collect:
    mov x22, x30
    adrp x20, values
    add x20, x20, :lo12:values
#define READ
#include "rows.inc"
#undef READ
    ret x22
    .ltorg

// x0: the name of the phase. One CPU at a time.
show:
    mov x22, x30
    mov x23, x0
    adr x0, text_phase
    bl print
    mov x0, x23
    bl print
    bl print_newline
    mov x21, #0
1:  ldr x19, [x20, x21, lsl #3]
    ldr x1, =UNDEFINED_MARK
    adr x0, text_value
    adr x2, text_undefined
    cmp x19, x1
    csel x0, x2, x0, eq
    bl print
    mov x0, x21
    bl print_decimal
    mov w0, #' '
    bl put_char
    mov x0, x19
    bl print_hex
    bl print_newline
    add x21, x21, #1
    cmp x21, #ROWS
    b.ne 1b
    ret x22

// Goes on at x19, with everything written.
    .macro written register, value
    expect 9998f
    ldr x0, =\value
    msr \register, x0
9998:
    .endm
spoil:
    movi v0.2d, #0xffffffffffffffff
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    mov v\n\().16b, v0.16b
    .endr
#define WRITE
#include "rows.inc"
#undef WRITE
    ldr x0, =0x5a5a5a5a5a5a5800
    msr vbar_el1, x0
    mov sp, x0
    br x19
    .ltorg

text_start:     .asciz "start"
text_second:    .asciz "second"
text_phase:     .asciz "phase "
text_value:     .asciz "value "
text_undefined: .asciz "undefined "

    .bss
    .balign 16
values: .skip 8 * 128
second_done: .skip 4
    .balign 16
    .skip 4096
second_stack:
