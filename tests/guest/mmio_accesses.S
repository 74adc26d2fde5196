// SPDX-License-Identifier: BSD-2-Clause
//
// Every way to load from and store to a device register: widths, extensions, zero register, pairs, indices, SIMD.
// PL011's IBRD is a 16-bit register that holds what is written; its identification bytes are 11 10 r4 00, 0d f0 05 b1,
// where r is the revision.
#include "guest.h"

    .globl main
main:
    mov x20, #UART_BASE
    ldr x21, =(UART_BASE + 0xfe0)
    mov w0, #0xfedc
    str w0, [x20, #UART_IBRD]
    mov x1, #-1
    ldr w1, [x20, #UART_IBRD]
    CHECK(x1, 0xfedc)
    mov x1, #-1
    ldrh w1, [x20, #UART_IBRD]
    CHECK(x1, 0xfedc)
    ldrsh w1, [x20, #UART_IBRD]
    CHECK(x1, 0xfffffedc)
    ldrsh x1, [x20, #UART_IBRD]
    CHECK(x1, 0xfffffffffffffedc)
    ldrsw x1, [x20, #UART_IBRD]
    CHECK(x1, 0xfedc)
    ldr wzr, [x20, #UART_IBRD]
    mov x1, xzr
    CHECK(x1, 0)
    str wzr, [x20, #UART_IBRD]
    ldr w1, [x20, #UART_IBRD]
    CHECK(x1, 0)
    mov x28, #0x1234
    str w28, [x20, #UART_IBRD]
    mov x28, #-1
    ldr w28, [x20, #UART_IBRD]
    CHECK(x28, 0x1234)

    // Pairs and indices, where the hardware reports no syndrome.
    ldp w1, w2, [x21]
    CHECK(x1, 0x11)
    CHECK(x2, 0x10)
    mov x3, x21
    ldr w1, [x3], #4
    CHECK(x1, 0x11)
    ldr w1, [x3, #4]!
    and x1, x1, #0xf
    CHECK(x1, 4)
    sub x3, x3, x21
    CHECK(x3, 8)
    mov x3, x21
    ldp w1, w2, [x3, #16]!
    CHECK(x1, 0x0d)
    CHECK(x2, 0xf0)
    sub x3, x3, x21
    CHECK(x3, 16)
    add x3, x20, #UART_IBRD
    mov w1, #0x77
    str w1, [x3], #-4
    sub x3, x3, x20
    CHECK(x3, (UART_IBRD - 4))
    ldr w1, [x20, #UART_IBRD]
    CHECK(x1, 0x77)

    // SIMD and FP registers: the upper part of the register is cleared.
    movi v0.16b, #0xff
    ldr s0, [x21]
    mov x1, v0.d[0]
    CHECK(x1, 0x11)
    mov x1, v0.d[1]
    CHECK(x1, 0)
    mov w1, #0x55
    fmov s1, w1
    str s1, [x20, #UART_IBRD]
    ldr w1, [x20, #UART_IBRD]
    CHECK(x1, 0x55)
    ret
