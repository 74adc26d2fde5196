// SPDX-License-Identifier: BSD-2-Clause
//
// A device that answers each access with an error: passthrough_test.py puts it where the board has nothing. Each width, loads and stores, pairs and
// SIMD registers: each is an external abort of the guest, and its registers keep their values. On every vCPU at once, many times.
#include "guest.h"

#define ROUNDS 200

    .globl main
main:
    str x30, [sp, #-16]!
    msr tpidrro_el0, x30             // what a host's handler must not use
    mov x19, #0
#ifdef SECOND
    ldr w0, =PSCI_CPU_ON_64
    mov x1, #1
    adr x2, second
    mov x3, #0
    hvc #0
    CHECK(x0, 0)
#endif
    mov x28, #ROUNDS
1:  bl all_fail
    subs x28, x28, #1
    b.ne 1b
#ifdef SECOND
    adrp x20, second_done
    add x20, x20, :lo12:second_done
2:  ldar w0, [x20]
    cbz w0, 2b
    CHECK(x0, ROUNDS)
#endif
    ldr x30, [sp], #16
    mrs x0, tpidrro_el0
    CHECK_SAME(x0, x30)
    ret

// Its own vectors, since those of lib.S are for one CPU: they count, and skip the instruction.
second:
    adr x0, second_vectors
    msr vbar_el1, x0
    isb
    ldr x21, =DEVICE
    mov w19, #0
    mov w28, #ROUNDS
1:  ldr w0, [x21]
    str w0, [x21, #4]
    subs w28, w28, #1
    b.ne 1b
    lsr w19, w19, #1                 // two in each round
    adrp x20, second_done
    add x20, x20, :lo12:second_done
    stlr w19, [x20]
    b .
    .balign 2048
second_vectors:
    .rept 16
    .balign 128
    add w19, w19, #1
    mrs x18, elr_el1
    add x18, x18, #4
    msr elr_el1, x18
    eret
    .endr

.macro fails instruction:vararg
    expect 99f
    ldr x16, =0x1234567890abcdef
    mov x22, x16
    mov x23, x16
    \instruction
    mov x0, #0                       // it did not fail
    CHECK(x0, 1)
99: seen x0, esr
    and x1, x0, #0x3f
    CHECK(x1, 0x10)                  // an external abort that is no table walk's
    lsr x1, x0, #26
    CHECK(x1, 0x25)
    seen x0, far
    CHECK_SAME(x0, x21)
    ldr x0, =0x1234567890abcdef
    CHECK_SAME(x22, x0)
    CHECK_SAME(x23, x0)
.endm

all_fail:
    str x30, [sp, #-16]!
    ldr x21, =DEVICE
    fails ldrb w22, [x21]
    fails ldrh w22, [x21]
    fails ldr w22, [x21]
    fails ldr x22, [x21]
    fails strb w22, [x21]
    fails strh w22, [x21]
    fails str w22, [x21]
    fails str x22, [x21]
    fails ldp w22, w23, [x21]
    fails stp x22, x23, [x21]
    fails str q0, [x21]
    ldr x30, [sp], #16
    ret

    .bss
    .balign 16
second_done: .word 0
