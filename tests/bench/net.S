// SPDX-License-Identifier: BSD-2-Clause
//
// What a frame from a virtio network card to another costs: bursts of BURST frames, one notification each, from its store until the last frame is
// there. Both cards are this guest's, at one switch, so nothing but the frames is in between.
#include "guest.h"
#include "report.inc"
#define CARD 0x0a000000
#define PEER 0x0a000200
#define QUEUES 0x42000000      // of CARD: the first at 0, the second at 0x4000; in each the driver's part at 0x1000, the device's at 0x2000
#define PEER_QUEUES 0x42100000
#define FRAME 0x42200000
#define BUFFERS 0x43000000
#define BURST 32

    .globl main
main:
    str x30, [sp, #-16]!
    ldr x21, =CARD
    ldr x22, =QUEUES
    bl begin
    ldr x21, =PEER
    ldr x22, =PEER_QUEUES
    bl begin
    ldr x21, =CARD
    ldr x0, =FRAME             // behind a header of zeros
    mov w1, #2
    strb w1, [x0, #12]
    strb w1, [x0, #17]
    strb w1, [x0, #18]
    mov w1, #1
    strb w1, [x0, #23]
    mov w1, #8
    strb w1, [x0, #24]
    mov w24, #0
    mov w19, #(12 + 64)
    bl bursts
    adr x1, text_small
    bl report
    mov w19, #(12 + 1514)
    bl bursts
    adr x1, text_large
    bl report
    ldr x30, [sp], #16
    ret

// The card at x21 with its queues at x22.
begin:
    str wzr, [x21, #0x70]
    mov w0, #3
    str w0, [x21, #0x70]
    mov w0, #1                 // VERSION_1
    str w0, [x21, #0x24]
    str w0, [x21, #0x20]
    str wzr, [x21, #0x24]
    mov w0, #0x8003            // MRG_RXBUF, CSUM, GUEST_CSUM
    str w0, [x21, #0x20]
    mov w0, #11
    str w0, [x21, #0x70]
    mov w9, #0
    mov x10, x22
1:  str w9, [x21, #0x30]
    mov w0, #256
    str w0, [x21, #0x38]
    str w10, [x21, #0x80]
    add x11, x10, #0x1000
    str w11, [x21, #0x90]
    add x11, x10, #0x2000
    str w11, [x21, #0xa0]
    mov w0, #1
    str w0, [x21, #0x44]
    add x13, x10, #0x1000
    add x13, x13, #4
    mov w12, #0
2:  strh w12, [x13], #2
    add w12, w12, #1
    cmp w12, #256
    b.ne 2b
    add x10, x10, #0x4000
    add w9, w9, #1
    cmp w9, #2
    b.ne 1b
    mov w0, #15
    str w0, [x21, #0x70]
    ret

// x0: ticks of ROUNDS bursts of frames of w19 bytes, their header included. w24: the index of both rings, from call to call.
bursts:
    ldr x9, =(QUEUES + 0x4000)
    ldr x10, =PEER_QUEUES
    ldr x11, =FRAME
    ldr x12, =BUFFERS
    mov w13, #256
    mov w14, #2048
    mov w15, #2                // to be written
1:  str x11, [x9], #8
    str w19, [x9], #4
    str wzr, [x9], #4
    str x12, [x10], #8
    str w14, [x10], #4
    str w15, [x10], #4
    add x12, x12, #2048
    subs w13, w13, #1
    b.ne 1b
    ldr x9, =(QUEUES + 0x5000)
    ldr x10, =(PEER_QUEUES + 0x1000)
    ldr x11, =(QUEUES + 0x6000)
    mov x0, #0
    ldr x25, =ROUNDS
    mov w13, #1
2:  add w24, w24, #BURST
    and w24, w24, #0xffff
    strh w24, [x10, #2]
    strh w24, [x9, #2]
    mrs x26, cntvct_el0
    isb
    str w13, [x21, #0x50]
3:  ldrh w12, [x11, #2]
    cmp w12, w24
    b.ne 3b
    mrs x27, cntvct_el0
    sub x26, x27, x26
    add x0, x0, x26
    subs x25, x25, #1
    b.ne 2b
    ret
text_small: .asciz "net_frame_64"
text_large: .asciz "net_frame_1514"
    .balign 4
    bench_helpers
