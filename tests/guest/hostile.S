// SPDX-License-Identifier: BSD-2-Clause
//
// A stream of nonsense: loads and stores of all kinds all over the device space, random hypercalls, random values into every
// GIC register. Every exception is taken and skipped. Nothing may end the VM or the host; the guest says when it is through.
#include "guest.h"

    .globl main
main:
    str x30, [sp, #-16]!
    ldr x20, =0x9e3779b97f4a7c15
    ldr x21, =20000
    adr x0, handler
    msr vbar_el1, x0
    isb
1:  bl random
    ubfx x1, x0, #32, #27                  // anywhere below RAM
    tbz x0, #0, 2f
    and x1, x1, #0x1fffff                  // or in the GIC
    movk x1, #0x0800, lsl #16
    and x2, x0, #0x1f0000
    orr x1, x1, x2
2:  bic x2, x1, #7
    tst x0, #2
    csel x1, x2, x1, eq
    mov x22, x1
    bl random
    mov x2, x0
    mov x1, x22
    and x3, x0, #15
    adr x4, 3f
    add x4, x4, x3, lsl #3
    br x4
3:  ldr x5, [x1]
    b 4f
    ldr w5, [x1]
    b 4f
    ldrb w5, [x1]
    b 4f
    ldrsh x5, [x1]
    b 4f
    str x2, [x1]
    b 4f
    str w2, [x1]
    b 4f
    strb w2, [x1]
    b 4f
    strh w2, [x1]
    b 4f
    ldp x5, x6, [x1]
    b 4f
    stp x2, x2, [x1]
    b 4f
    ldxr w5, [x1]
    b 4f
    stxr w5, w2, [x1]
    b 4f
    dc zva, x1
    b 4f
    ld1 {v0.16b, v1.16b}, [x1]
    b 4f
    str q0, [x1], #16
    b 4f
    ldr w5, [x1], #4
4:  subs x21, x21, #1
    b.ne 1b

    ldr x21, =2000
5:  bl random
    and x1, x0, #0xff
    tbz x0, #9, 6f
    ldr w2, =0x84000000
    b 7f
6:  ldr w2, =0xc4000000
7:  orr x0, x1, x2
    and x1, x0, #0x1f
    // Not those that end or stop the caller: CPU_SUSPEND, CPU_OFF, SYSTEM_OFF, SYSTEM_RESET, SYSTEM_SUSPEND, RESET2.
    and x1, x0, #0xff
    cmp x1, #1
    b.eq 5b
    cmp x1, #2
    b.eq 5b
    cmp x1, #8
    b.eq 5b
    cmp x1, #9
    b.eq 5b
    cmp x1, #0xc
    b.eq 5b
    cmp x1, #0xd
    b.eq 5b
    cmp x1, #0xe
    b.eq 5b
    cmp x1, #0x12
    b.eq 5b
    mov x22, x0
    bl random
    mov x1, x0
    bl random
    mov x2, x0
    mov x3, x0
    mov x0, x22
    tbz x1, #3, 8f
    hvc #0
    b 9f
8:  smc #0
9:  subs x21, x21, #1
    b.ne 5b
    // The UART may have been turned off: put it back.
    mov x20, #UART_BASE
    ldr w0, =0x301
    str w0, [x20, #0x30]
    mov w0, #'\n'
    str w0, [x20]
    ldr x30, [sp], #16
    ret

// xorshift; result in x0, state in x20
random:
    eor x20, x20, x20, lsl #13
    eor x20, x20, x20, lsr #7
    eor x20, x20, x20, lsl #17
    mov x0, x20
    ret

    .balign 2048
handler:
    .rept 16
    .balign 128
    b skip
    .endr
skip:
    mrs x16, esr_el1
    lsr x16, x16, #26
    cmp x16, #0x25
    b.eq 1f
    cmp x16, #0
    b.eq 1f
    // An interrupt that the noise enabled: mask it and go on.
    mrs x16, spsr_el1
    orr x16, x16, #0x3c0
    msr spsr_el1, x16
    eret
1:  mrs x16, elr_el1
    add x16, x16, #4
    msr elr_el1, x16
    eret
