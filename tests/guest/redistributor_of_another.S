// SPDX-License-Identifier: BSD-2-Clause
//
// Software may set up a CPU's redistributor before that CPU is on, from any other: CPU_ON does not reset it, and what was pending there comes
// when the CPU opens its interface. Nor does CPU_OFF take the settings away. (A GICv2 has no such way: there this test is short.)
// run: --vcpus 2
// cpus: 2
#include "guest.h"

#define SGI 5
#define GICR_SGI_OF_1 (GICR_BASE + 0x20000 + 0x10000)

    .globl main
main:
    str x30, [sp, #-16]!
    bl gic_init
    adrp x0, gic_is_v3
    ldr w0, [x0, :lo12:gic_is_v3]
    cbz w0, 9f
    ldr x20, =GICR_SGI_OF_1
    mov w0, #-1
    str w0, [x20, #0x80]               // IGROUPR0
    mov w0, #(1 << SGI)
    str w0, [x20, #0x100]              // ISENABLER0
    mov w0, #0x40
    strb w0, [x20, #(0x400 + SGI)]
    ldr w0, =0x00aa0000
    str w0, [x20, #0xc04]              // PPIs 24 to 27 are edges
    ldr w24, [x20, #0xc04]             // as far as they may be
    mov w21, #1
1:  adrp x0, irq_count
    add x22, x0, :lo12:irq_count
    ldr x0, =((SGI << 24) | 2)         // to CPU 1, which is off
    msr s3_0_c12_c11_5, x0
    isb
    ldr w0, [x20, #0x200]              // pending there
    and w0, w0, #(1 << SGI)
    CHECK(x0, (1 << SGI))
    bl settings
    load x0, PSCI_CPU_ON_64
    mov x1, #1
    adr x2, second
    mov x3, #0
    hvc #0
    CHECK(x0, 0)
2:  ldr w0, [x22, #(4 * SGI)]          // it takes the interrupt
    cmp w0, w21
    b.ne 2b
3:  load x0, PSCI_AFFINITY_INFO
    mov x1, #1
    mov x2, #0
    hvc #0
    cmp x0, #1
    b.ne 3b
    adrp x0, running_priority
    ldr w0, [x0, :lo12:running_priority]
    CHECK(x0, 0x40)
    bl settings
    add w21, w21, #1
    cmp w21, #4
    b.ne 1b
9:  ldr x30, [sp], #16
    ret

settings:
    ldr w0, [x20, #0x80]
    mov w1, #-1
    CHECK_SAME(x0, x1)
    ldr w0, [x20, #0x100]
    and w0, w0, #(1 << SGI)
    CHECK(x0, (1 << SGI))
    ldrb w0, [x20, #(0x400 + SGI)]
    CHECK(x0, 0x40)
    ldr w0, [x20, #0xc04]
    CHECK_SAME(x0, x24)
    ret

// Opens its interface, and nothing else.
second:
    adrp x0, second_stack
    add sp, x0, :lo12:second_stack
    adrp x0, vectors
    add x0, x0, :lo12:vectors
    msr vbar_el1, x0
    ldr x0, =(GICR_BASE + 0x20000)
    str wzr, [x0, #0x14]               // WAKER
    mov x0, #1
    msr s3_0_c12_c12_5, x0
    isb
    mov x0, #0xff
    msr s3_0_c4_c6_0, x0
    mov x0, #1
    msr s3_0_c12_c12_7, x0
    isb
    adrp x20, irq_taken
    str wzr, [x20, :lo12:irq_taken]
    msr daifclr, #2
1:  ldr w0, [x20, :lo12:irq_taken]
    cbz w0, 1b
    msr daifset, #2
    ldr x0, =(GICR_BASE + 0x20000)
    mov w1, #2
    str w1, [x0, #0x14]                // asleep again
    load x0, PSCI_CPU_OFF
    hvc #0
    b .

    .globl irq_handler
irq_handler:
    mrs x0, s3_0_c12_c11_3             // ICC_RPR_EL1
    adrp x1, running_priority
    str w0, [x1, :lo12:running_priority]
    mov w0, #1
    adrp x1, irq_taken
    str w0, [x1, :lo12:irq_taken]
    ret

    .bss
    .balign 16
running_priority: .skip 4
irq_taken: .skip 4
    .balign 16
    .skip 4096
second_stack:
