// SPDX-License-Identifier: BSD-2-Clause
//
// A virtio transport of the machine that shares its page with others': its registers are reached in each width, the neighbour's are not.
// With EMPTY it is a transport without a device, at the place before.
#include "guest.h"
#ifdef EMPTY
#define TRANSPORT 0x0a003c00
#define NEIGHBOUR 0x0a003e00
#define DEVICE 0
#else
#define TRANSPORT 0x0a003e00
#define NEIGHBOUR 0x0a003c00
#define DEVICE 4
#endif
    .globl main
main:
    str x30, [sp, #-16]!
    ldr x21, =TRANSPORT
    ldr w0, [x21]
    CHECK(x0, 0x74726976)            // MagicValue
    ldr w0, [x21, #8]
    CHECK(x0, DEVICE)                // DeviceID
#ifndef EMPTY
    mov w0, #3
    str w0, [x21, #0x70]             // Status: ACKNOWLEDGE, DRIVER
    ldr w0, [x21, #0x70]
    CHECK(x0, 3)
    str wzr, [x21, #0x70]
    ldr w0, [x21, #0x70]
    CHECK(x0, 0)
#endif
    ldr x30, [sp], #16
    ret
