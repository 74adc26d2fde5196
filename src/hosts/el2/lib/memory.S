// SPDX-License-Identifier: BSD-2-Clause
//
// memcpy, memmove and memset with general registers only, because FP registers may hold a guest's values. Aligned pointers
// are only accessed aligned, so these also work before the MMU is on. Short sizes are what compilers and parsers ask for most; long ones
// move 64 bytes a turn.

    .text

// x0 to, x1 from, x2 size; returns x0. Ascending; right for memmove when `to` is not inside [from, from + size).
    .global memcpy
    .type   memcpy, %function
memcpy:
    mov     x3, x0
    cmp     x2, #16
    b.lo    6f
    // Bytes until the destination is aligned; then an equally aligned source is aligned too.
1:  tst     x3, #7
    b.eq    2f
    ldrb    w4, [x1], #1
    strb    w4, [x3], #1
    sub     x2, x2, #1
    b       1b
2:  subs    x2, x2, #64
    b.lo    4f
3:  ldp     x4, x5, [x1]
    ldp     x6, x7, [x1, #16]
    ldp     x8, x9, [x1, #32]
    ldp     x10, x11, [x1, #48]
    add     x1, x1, #64
    stp     x4, x5, [x3]
    stp     x6, x7, [x3, #16]
    stp     x8, x9, [x3, #32]
    stp     x10, x11, [x3, #48]
    add     x3, x3, #64
    subs    x2, x2, #64
    b.hs    3b
4:  add     x2, x2, #64
5:  subs    x2, x2, #8
    b.lo    7f
    ldr     x4, [x1], #8
    str     x4, [x3], #8
    b       5b
7:  add     x2, x2, #8
6:  cbz     x2, 8f
    ldrb    w4, [x1], #1
    strb    w4, [x3], #1
    sub     x2, x2, #1
    b       6b
8:  ret
    .size   memcpy, . - memcpy

    .global memmove
    .type   memmove, %function
memmove:
    sub     x3, x0, x1
    cmp     x3, x2
    b.hs    memcpy                  // `to` is below `from`, or beyond its end
    // Descending.
    add     x3, x0, x2
    add     x1, x1, x2
1:  cbz     x2, 6f
    tst     x3, #7
    b.eq    2f
    ldrb    w4, [x1, #-1]!
    strb    w4, [x3, #-1]!
    sub     x2, x2, #1
    b       1b
2:  subs    x2, x2, #16
    b.lo    4f
3:  ldp     x4, x5, [x1, #-16]!
    stp     x4, x5, [x3, #-16]!
    subs    x2, x2, #16
    b.hs    3b
4:  add     x2, x2, #16
5:  cbz     x2, 6f
    ldrb    w4, [x1, #-1]!
    strb    w4, [x3, #-1]!
    sub     x2, x2, #1
    b       5b
6:  ret
    .size   memmove, . - memmove

// x0 to, w1 byte, x2 size; returns x0.
    .global memset
    .type   memset, %function
memset:
    mov     x3, x0
    cmp     x2, #16
    b.lo    6f
    and     x1, x1, #0xff
    orr     x1, x1, x1, lsl #8
    orr     x1, x1, x1, lsl #16
    orr     x1, x1, x1, lsl #32
1:  tst     x3, #7
    b.eq    2f
    strb    w1, [x3], #1
    sub     x2, x2, #1
    b       1b
2:  subs    x2, x2, #64
    b.lo    4f
3:  stp     x1, x1, [x3]
    stp     x1, x1, [x3, #16]
    stp     x1, x1, [x3, #32]
    stp     x1, x1, [x3, #48]
    add     x3, x3, #64
    subs    x2, x2, #64
    b.hs    3b
4:  add     x2, x2, #64
5:  subs    x2, x2, #8
    b.lo    7f
    str     x1, [x3], #8
    b       5b
7:  add     x2, x2, #8
6:  cbz     x2, 8f
    strb    w1, [x3], #1
    sub     x2, x2, #1
    b       6b
8:  ret
    .size   memset, . - memset
