// SPDX-License-Identifier: BSD-2-Clause
//
// PSCI CPU_ON by a caller whose data is big-endian, at EL1 (EE), at EL0 (E0E) or both: the started CPU has the same, as DEN 0022 says
// ("Initial core state"), and the caller keeps its own.
// run: --vcpus 2
// cpus: 2
#include "guest.h"

    .globl main
main:
    str x30, [sp, #-16]!
    mrs x19, sctlr_el1
    adrp x23, seen
    add x23, x23, :lo12:seen
    mov x20, #0
next:
    orr x21, x19, x20
    str wzr, [x23]
    ldr w0, =PSCI_CPU_ON_64        // literals before data turns around
    mov x1, #1
    adr x2, second
    mov x3, #0x77
    msr sctlr_el1, x21
    isb
    hvc #0
    mrs x22, sctlr_el1
    msr sctlr_el1, x19
    isb
    CHECK(x0, 0)
    CHECK_SAME(x22, x21)
1:  ldr w0, [x23]
    cbz w0, 1b
    ldr x0, [x23, #16]
    CHECK(x0, 0x77)
    ldr x0, [x23, #8]
    and x0, x0, #(3 << 24)
    CHECK_SAME(x0, x20)
2:  load x0, PSCI_AFFINITY_INFO
    mov x1, #1
    mov x2, #0
    hvc #0
    cmp x0, #1                     // off again
    b.ne 2b
    mov x0, #(1 << 24)
    add x20, x20, x0
    tbz x20, #26, next
    ldr x30, [sp], #16
    ret

second:
    mrs x1, sctlr_el1
    bic x3, x1, #(3 << 24)
    msr sctlr_el1, x3
    isb
    adrp x4, seen
    add x4, x4, :lo12:seen
    str x1, [x4, #8]
    str x0, [x4, #16]
    dsb sy
    mov w5, #1
    str w5, [x4]
    ldr w0, =PSCI_CPU_OFF
    hvc #0
    b .

    .bss
    .balign 8
seen: .skip 24
