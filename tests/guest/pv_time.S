// SPDX-License-Identifier: BSD-2-Clause
//
// Paravirtualized time (Arm DEN 0057A): found by the calls, one structure for a vCPU, nothing stolen on a CPU of its own, not to be written,
// and gone when the VM is without it (tests/system/stolen_time_test.py).
// run: --vcpus 2
#include "guest.h"

#define ARCH_FEATURES 0x80000001
#define PV_TIME_FEATURES 0xc5000020
#define PV_TIME_ST 0xc5000021

.macro call function, argument=0
    ldr w0, =\function
    ldr x1, =\argument
    hvc #0
.endm

    .globl main
main:
    str x30, [sp, #-16]!
#ifdef HIDDEN
    mov x20, #-1
#else
    mov x20, #0
#endif
    call ARCH_FEATURES, PV_TIME_FEATURES
    CHECK_SAME(x0, x20)
    call PV_TIME_FEATURES, PV_TIME_ST
    CHECK_SAME(x0, x20)
    call PV_TIME_FEATURES, 0xc5000022
    mov x1, #-1
    CHECK_SAME(x0, x1)
    call 0x85000020, PV_TIME_ST // 32-bit form
    mov x1, #-1
    CHECK_SAME(x0, x1)
    call PV_TIME_ST
#ifdef HIDDEN
    CHECK_SAME(x0, x20)
#else
    ldr x21, =0x090a0000
    CHECK_SAME(x0, x21)
    ldp x2, x3, [x21]
    mov x1, #0 // revision, attributes
    CHECK_SAME(x2, x1)
    mov x19, x3
    mov x2, #-1
    str x2, [x21, #8]
    ldr x2, [x21, #8]
    CHECK_SAME(x2, x19)
    ldr x2, [x21, #64]
    mov x1, #0
    CHECK_SAME(x2, x1)
#endif
    ldr x30, [sp], #16
    ret
