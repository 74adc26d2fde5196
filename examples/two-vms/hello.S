/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that prints a line by its UART, three times, and switches its machine off. It runs where it is put. */
    .global _start
_start:
    mov x1, #0x09000000 /* the UART of the virt board, ready after a reset for who only prints */
    mov w4, #3
1:  adr x2, text
2:  ldrb w3, [x2], #1
    cbz w3, 3f
    str w3, [x1]
    b 2b
3:  subs w4, w4, #1
    b.ne 1b
    mov w0, #0x0008
    movk w0, #0x8400, lsl #16 /* PSCI SYSTEM_OFF */
    smc #0
text:
    .asciz "hello\r\n"
