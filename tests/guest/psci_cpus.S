// SPDX-License-Identifier: BSD-2-Clause
//
// Two vCPUs: the second is started, counts, turns itself off, and is started again. All error codes on the way.
// run: --vcpus 2
// cpus: 2
#include "guest.h"

.macro psci function, a1=0, a2=0, a3=0
    load x0, \function
    load x1, \a1
    .ifc \a2, second
    adr x2, second
    .else
    load x2, \a2
    .endif
    load x3, \a3
    hvc #0
.endm

    .globl main
main:
    str x30, [sp, #-16]!
    psci PSCI_AFFINITY_INFO, 0
    CHECK(x0, 0)
    psci PSCI_AFFINITY_INFO, 1
    CHECK(x0, 1)
    psci PSCI_AFFINITY_INFO, 2             // no such CPU
    CHECK(x0, 0xfffffffffffffffe)
    psci PSCI_CPU_ON_64, 2, second
    CHECK(x0, 0xfffffffffffffffe)          // INVALID_PARAMETERS
    psci PSCI_CPU_ON_64, 0, second
    CHECK(x0, 0xfffffffffffffffc)          // ALREADY_ON
    psci PSCI_CPU_ON_64, 1, UNMAPPED
    CHECK(x0, 0xfffffffffffffff7)          // INVALID_ADDRESS

    mov x19, #1
1:  psci PSCI_CPU_ON_64, 1, second, 0x5a
    CHECK(x0, 0)
    adrp x20, seen
    add x20, x20, :lo12:seen
2:  ldr w0, [x20]                          // both run: this loop does not exit
    cmp w0, w19
    b.ne 2b
    ldr x0, [x20, #8]
    CHECK(x0, 0x5a)
    ldr x0, [x20, #16]
    and x0, x0, #0xffffff
    CHECK(x0, 1)
3:  psci PSCI_AFFINITY_INFO, 1
    cmp x0, #1
    b.ne 3b
    add x19, x19, #1
    cmp x19, #4
    b.ne 1b
    ldr x30, [sp], #16
    ret

second:
    adrp x20, seen
    add x20, x20, :lo12:seen
    str x0, [x20, #8]
    mrs x1, mpidr_el1
    str x1, [x20, #16]
    mrs x1, sctlr_el1
    tbnz x1, #0, .
    ldr w1, [x20]
    add w1, w1, #1
    str w1, [x20]
    ldr w0, =PSCI_CPU_OFF
    hvc #0
    b .

    .bss
    .balign 8
seen: .skip 24
