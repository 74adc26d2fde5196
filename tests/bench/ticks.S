// SPDX-License-Identifier: BSD-2-Clause
//
// A Linux program without a library that prints the virtual counter: "bench: banner TICKS".
    .globl _start
_start:
    isb
    mrs x0, cntvct_el0
    adr x1, end
    mov x2, #10
    mov w5, #'\n'
    sub sp, sp, #64
    add x3, sp, #64
    strb w5, [x3, #-1]!
1:  udiv x4, x0, x2
    msub x5, x4, x2, x0
    add x5, x5, #'0'
    strb w5, [x3, #-1]!
    mov x0, x4
    cbnz x0, 1b
    // The text goes in front of the digits.
2:  ldrb w5, [x1, #-1]!
    strb w5, [x3, #-1]!
    adr x4, text
    cmp x1, x4
    b.ne 2b
    mov x0, #1
    mov x1, x3
    add x2, sp, #64
    sub x2, x2, x3
    mov x8, #64                // write
    svc #0
    mov x0, #0
    mov x8, #93                // exit
    svc #0
text: .ascii "bench: banner "
end:
