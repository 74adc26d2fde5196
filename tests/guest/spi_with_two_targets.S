// SPDX-License-Identifier: BSD-2-Clause
//
// An SPI that both vCPUs may take (GICv2), or any (GICv3: 1 of N). The first vCPU turns itself off, or only closes its CPU interface
// (CLOSED=1, with group 0 left open where GROUP0=1); the second must get the interrupt. SLEEP=1: before, the first puts its redistributor
// to sleep, as firmware does.
// run: --vcpus 2
// cpus: 2
// variant: off -DCLOSED=0 -DSLEEP=0
// variant: asleep -DCLOSED=0 -DSLEEP=1
// variant: closed -DCLOSED=1 -DSLEEP=0
// variant: closed_beside_group0 -DCLOSED=1 -DSLEEP=0 -DGROUP0=1
#include "guest.h"
#include "gic.h"
    .globl main
main:
    gic_begin
    mov w10, #2
    mov x1, #40
    mov w2, #0x80
    bl spi_setup
    cbz x19, 1f
    mov x0, #0x80000000
    add x3, x20, #0x6000
    str x0, [x3, #(8 * 40)]
    b 2f
1:  mov w0, #3
    strb w0, [x20, #(0x800 + 40)]
2:  ldr x0, =PSCI_CPU_ON_64
    mov x1, #1
    adr x2, second
    hvc #0
    CHECK(x0, 0)
    adrp x26, flag
    add x26, x26, :lo12:flag
3:  ldr w0, [x26]
    cbz w0, 3b
    cbz x19, 4f
#if GROUP0
    mov x0, #1
    msr s3_0_c12_c12_6, x0
    isb
#endif
    msr s3_0_c12_c12_7, xzr
    isb
#if SLEEP
    ldr x2, =GICR_BASE
    mov w0, #2
    str w0, [x2, #0x14]
5:  ldr w0, [x2, #0x14]
    tbz w0, #2, 5b
#endif
4:
#if CLOSED
    cbnz x19, 6f
    ldr x1, =GICC_BASE
    str wzr, [x1]
6:  mov w0, #2
    str w0, [x26]
7:  wfe
    b 7b
#else
    ldr w0, =PSCI_CPU_OFF
    hvc #0
    b .
#endif
second:
    adrp x9, stack2
    add sp, x9, :lo12:stack2
    add sp, sp, #4096
    gic_begin_second
    adrp x26, flag
    add x26, x26, :lo12:flag
    mov w0, #1
    str w0, [x26]
#if CLOSED
8:  ldr w0, [x26]
    cmp w0, #2
    b.ne 8b
    mov w0, #0x100
    str w0, [x20, #0x204]
    bl ack
    CHECK(x0, 40)
    bl eoi
    b guest_pass
#endif
4:  ldr x0, =PSCI_AFFINITY_INFO
    mov x1, #0
    mov x2, #0
    hvc #0
    cmp x0, #1
    b.ne 4b
    mov w0, #0x100
    str w0, [x20, #0x204]
    bl ack
    CHECK(x0, 40)
    bl eoi
    b guest_pass
    gic_helpers
    .bss
    .balign 4096
stack2: .skip 4096
flag: .skip 8
