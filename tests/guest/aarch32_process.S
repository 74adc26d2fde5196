// SPDX-License-Identifier: BSD-2-Clause
//
// A 32-bit process (EL0): the physical counter and timer that CNTKCTL_EL1 gives it, and device accesses in both byte orders, which for
// AArch32 are PSTATE.E's alone.
#include "guest.h"
#define A32 0x10
#define T32 0x30
#define BIG_ENDIAN 0x200
#define Z 0x40000000
#define SVC 0xef000000
#define DEVICE (GICD_BASE + 0x420)   // GICD_IPRIORITYR8: of four SPIs
    .globl main
// Runs the instruction with x0-x14 as they are and ends in x27: ESR_EL1. Clobbers x15, x28.
.macro process instruction, state=A32
    load x15, (\state)
    adr x28, 8888f
    bl enter
    .word \instruction
    .word SVC
8888:
.endm
.macro ends_in class
    lsr x15, x27, #26
    CHECK(x15, \class)
.endm
main:
    str x30, [sp, #-16]!
    adr x0, own_vectors
    msr vbar_el1, x0
    mov x0, #0x303                   // EL0PTEN, EL0VTEN, EL0VCTEN, EL0PCTEN
    msr cntkctl_el1, x0
    isb

    // The counter, MRRC p15, 0, r0, r1, c14.
    mrs x20, cntpct_el0
    process 0xec510f0e
    ends_in 0x11
    isb
    mrs x22, cntpct_el0
    lsr x2, x0, #32
    CHECK(x2, 0)
    orr x21, x0, x1, lsl #32
    cmp x20, x21
    cset x2, ls
    CHECK(x2, 1)
    cmp x21, x22
    cset x2, ls
    CHECK(x2, 1)
    process 0x0f0eec51, T32          // the same, SVC does not matter
    orr x22, x0, x1, lsl #32
    cmp x21, x22
    cset x2, ls
    CHECK(x2, 1)
    // MRRCNE with Z set does nothing.
    mov x0, #5
    process 0x1c510f0e, (A32 | Z)
    ends_in 0x11
    CHECK(x0, 5)

    // CNTP_CVAL: MCRR p15, 2, r0, r1, c14; MRRC with r2, r3.
    load x0, 0x9abcdef0
    load x1, 0x12345678
    process 0xec410f2e
    ends_in 0x11
    mrs x4, cntp_cval_el0
    CHECK(x4, 0x123456789abcdef0)
    process 0xec532f2e
    CHECK(x2, 0x9abcdef0)
    CHECK(x3, 0x12345678)
    // CNTP_CTL: enabled and masked.
    mov x0, #3
    process 0xee0e0f32
    ends_in 0x11
    mrs x4, cntp_ctl_el0
    CHECK(x4, 3)
    mov x0, #0
    process 0xee1e0f32
    CHECK(x0, 3)
    // CNTP_TVAL is signed: its condition is met, and it counts down.
    mov w0, #-16
    process 0xee0e0f12
    ends_in 0x11
    mrs x4, cntp_ctl_el0
    CHECK(x4, 7)
    process 0xee1e1f12               // into r1
    asr w1, w1, #31
    CHECK(x1, 0xffffffff)
    msr cntp_ctl_el0, xzr
    // What is no register: MRC p15, 0, r0, c14, c2, 2.
    process 0xee1e0f52
    ends_in 0

    // A device in both orders.
    load x1, DEVICE
    load x20, 0x88a0b0f8
    str w20, [x1]
    process 0xe5910000               // LDR r0, [r1]
    CHECK(x0, 0x88a0b0f8)
    process 0xe5910000, (A32 | BIG_ENDIAN)
    ends_in 0x11
    CHECK(x0, 0xf8b0a088)
    process 0xe1d100b0, (A32 | BIG_ENDIAN) // LDRH
    CHECK(x0, 0xf8b0)
    process 0xe1d100f0, (A32 | BIG_ENDIAN) // LDRSH
    mov w0, w0
    CHECK(x0, 0xfffff8b0)
    process 0xe5d10000, (A32 | BIG_ENDIAN) // LDRB
    CHECK(x0, 0xf8)
    load x0, 0x10203040
    process 0xe5810000, (A32 | BIG_ENDIAN) // STR
    ends_in 0x11
    ldr w20, [x1]
    CHECK(x20, 0x40302010)
    load x0, 0x8060
    process 0xe1c100b0, (A32 | BIG_ENDIAN) // STRH
    ldr w20, [x1]
    CHECK(x20, 0x40306080)
    load x0, 0x98
    process 0xe5c10000, (A32 | BIG_ENDIAN) // STRB
    ldr w20, [x1]
    CHECK(x20, 0x40306098)
    load x0, 0x10203040
    process 0xe5810000               // STR, little-endian
    ldr w20, [x1]
    CHECK(x20, 0x10203040)
    // LDMEQ with Z clear and LDM: without a syndrome, and not taken for a plain access.
    load x0, 0x11223344
    process 0x08910001, (A32 | BIG_ENDIAN)
    ends_in 0x11
    CHECK(x0, 0x11223344)
    process 0xe8910001, (A32 | BIG_ENDIAN)
    ends_in 0x24
    CHECK(x0, 0x11223344)
    ldr x30, [sp], #16
    ret

// x30: the code, x15: the state, x28: where to go on
enter:
    msr elr_el1, x30
    msr spsr_el1, x15
    eret
    .macro fails
    .balign 128
    mrs x0, esr_el1
    mrs x1, elr_el1
    load x2, __LINE__
    b guest_fail
    .endm
    .balign 2048
own_vectors:
    .rept 12
    fails
    .endr
    .balign 128
    mrs x27, esr_el1                 // from AArch32
    br x28
    .rept 3
    fails
    .endr
