// SPDX-License-Identifier: BSD-2-Clause
//
// Code that changes between the trap of an instruction and the host's look at it: a second vCPU writes other instructions over the one that
// this vCPU executes on a device, without any maintenance. Whatever is found there, each turn is an access or an exception, and both vCPUs go on.
// run: --vcpus 2 --log-level error
// cpus: 2
#include "guest.h"

    .globl main
main:
    str x30, [sp, #-16]!
    adr x0, changing_vectors
    msr vbar_el1, x0
    isb
    load x0, PSCI_CPU_ON_64
    mov x1, #1
    adr x2, second
    mov x3, #0
    hvc #0
    CHECK(x0, 0)
    mov x20, #UART_BASE
    add x20, x20, #UART_FR
    ldr w21, =30000
    mov x22, sp
1:  mov x0, #0
    mov x1, #0
    mov x2, x20
    bl slot
    mov x3, sp
    CHECK_SAME(x3, x22)
    subs w21, w21, #1
    b.ne 1b
    // The second one has not stopped.
    adrp x1, written
    ldr x2, [x1, :lo12:written]
2:  ldr x3, [x1, :lo12:written]
    cmp x2, x3
    b.eq 2b
    ldr x30, [sp], #16
    ret

second:
    adr x1, instructions
    adr x2, slot
    adrp x3, written
1:  mov x4, #0
2:  ldr w5, [x1, x4, lsl #2]
    str w5, [x2]
    ldr x6, [x3, :lo12:written]
    add x6, x6, #1
    str x6, [x3, :lo12:written]
    add x4, x4, #1
    cmp x4, #((instructions_end - instructions) / 4)
    b.ne 2b
    wfe                            // lets the other one run now and then
    b 1b

    .arch armv8.1-a
instructions:
    ldp x0, x1, [x2]
    stp xzr, xzr, [x2, #0x40]
    ldp w0, w1, [x2], #8
    ldr q0, [x2]
    ldaddal w0, w1, [x2]
    ldxr w0, [x2]
    ld1 {v0.4s, v1.4s}, [x2]
    nop
    .word 0
    ldr w0, [x2]
    add x0, x0, #1
    dc zva, x2
    ldp x0, x1, [sp]
    ldr x0, [x2, #4]!
instructions_end:

    .balign 64
slot:
    ldp x0, x1, [x2]
    ret

    .balign 2048
changing_vectors:
    .rept 4
    .balign 128
    b wrong
    .endr
    .balign 128
    mrs x9, elr_el1
    add x9, x9, #4
    msr elr_el1, x9
    eret
    .rept 11
    .balign 128
    b wrong
    .endr
wrong:
    mrs x0, esr_el1
    mrs x1, elr_el1
    mov x2, #__LINE__
    b guest_fail

    .bss
    .balign 8
written: .quad 0
