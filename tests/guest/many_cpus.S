// SPDX-License-Identifier: BSD-2-Clause
//
// As many CPUs as a GICv3 can have here, 128 in eight clusters, the last five with redistributors of the board's second region. All are started by
// their MPIDR, take an SGI each, one that the last one broadcasts, and hand one on from the first to the last and back; every one is counted
// where it is taken. Then they turn off, cluster by cluster, and the last one is started once more.
// run: --vcpus 128
// gic: 3
#include "guest.h"

#define COUNT 128
#define SGI_EACH  3
#define SGI_CHAIN 4
#define SGI_OFF   5
#define STACK 512

// What each CPU counts, one block of these for each.
#define READY 0
#define EACH  4
#define CHAIN 8

// From a CPU's number to its affinity.
.macro affinity reg
    lsr x16, \reg, #4
    and x17, \reg, #15
    orr \reg, x17, x16, lsl #8
.endm
.macro own_number reg
    mrs x16, mpidr_el1
    ubfx x17, x16, #8, #8
    and x16, x16, #15
    add \reg, x16, x17, lsl #4
.endm
// What CPU `number` counts.
.macro counters reg, number
    adrp x16, counts
    add x16, x16, :lo12:counts
    add \reg, x16, \number, lsl #4
.endm
// Sends SGI `which` to CPU `number`. Clobbers x16 to x18.
.macro send which, number
    lsr x16, \number, #4
    and x17, \number, #15
    mov x18, #1
    lsl x18, x18, x17
    orr x18, x18, x16, lsl #16
    mov x16, #(\which << 24)
    orr x18, x18, x16
    msr s3_0_c12_c11_5, x18
    isb
.endm
// Waits until x20 has counted to the constant.
.macro until what, value
9998:
    ldr w16, [x20, #\what]
    cmp w16, #(\value)
    b.eq 9997f
    yield
    b 9998b
9997:
.endm
.macro psci function
    load x0, \function
    hvc #0
.endm

    .globl main, irq_handler
main:
    str x30, [sp, #-16]!
    bl gic_init
    mov w0, #SGI_EACH
    bl irq_enable
    mov w0, #SGI_CHAIN
    bl irq_enable
    bl check_type

    // All are started.
    mov x19, #1
1:  mov x1, x19
    affinity x1
    adr x2, another
    add x3, x19, #0x1000
    psci PSCI_CPU_ON_64
    CHECK(x0, 0)
    add x19, x19, #1
    cmp x19, #COUNT
    b.ne 1b
    mov x1, #0x800                 // the ninth cluster
    adr x2, another
    psci PSCI_CPU_ON_64
    CHECK(x0, 0xfffffffffffffffe)
    mov x19, #1
2:  counters x20, x19
    until READY, 1
    add x19, x19, #1
    cmp x19, #COUNT
    b.ne 2b

    // One for each.
    mov x19, #1
3:  send SGI_EACH, x19
    counters x20, x19
    until EACH, 1
    add x19, x19, #1
    cmp x19, #COUNT
    b.ne 3b
    mov w21, #1
    bl check_each

    // The last one sends to all others, and then begins a round at the first.
    mov x19, #(COUNT - 1)
    send SGI_CHAIN, x19
    counters x20, xzr
4:  wfi
    msr daifclr, #2
    isb
    msr daifset, #2
    ldr w0, [x20, #CHAIN]
    cbz w0, 4b
    counters x20, x19
    until CHAIN, 2
    mov x19, #1
5:  counters x20, x19
    until EACH, 2
    add x19, x19, #1
    cmp x19, #(COUNT - 1)
    b.ne 5b
    mov w21, #2
    bl check_each
    counters x20, xzr
    ldr w0, [x20, #EACH]
    CHECK(x0, 1)
    // Once through everybody, and twice through the last, which was asked to begin.
    mov x19, #0
7:  counters x20, x19
    ldr w0, [x20, #CHAIN]
    mov x1, #1
    cmp x19, #(COUNT - 1)
    cinc x1, x1, eq
    CHECK_SAME(x0, x1)
    add x19, x19, #1
    cmp x19, #COUNT
    b.ne 7b

    // They go off.
    mov x19, #1
8:  send SGI_OFF, x19
    add x19, x19, #1
    cmp x19, #COUNT
    b.ne 8b
    mov x19, #1
9:  mov x1, x19
    affinity x1
    mov x2, #0
    psci PSCI_AFFINITY_INFO
    cbz x0, 9b
    CHECK(x0, 1)
    add x19, x19, #1
    cmp x19, #COUNT
    b.ne 9b
    mov x19, #1
10: lsl x1, x19, #8
    mov x2, #1                     // a whole cluster
    psci PSCI_AFFINITY_INFO
    CHECK(x0, 1)
    add x19, x19, #1
    cmp x19, #(COUNT / 16)
    b.ne 10b
    mov x1, #0
    mov x2, #1
    psci PSCI_AFFINITY_INFO
    CHECK(x0, 0)                   // that of the first

    // And the last one comes again.
    mov x1, #(COUNT - 1)
    affinity x1
    adr x2, another
    mov x3, #(0x1000 + COUNT - 1)
    psci PSCI_CPU_ON_64
    CHECK(x0, 0)
    mov x19, #(COUNT - 1)
    counters x20, x19
    until READY, 2
    send SGI_EACH, x19
    until EACH, 2
    ldr x30, [sp], #16
    ret

// Every CPU but the first has taken as many of those for each as w21 says, the last one always one. Clobbers x22.
check_each:
    mov x22, x30
    mov x19, #1
1:  counters x20, x19
    ldr w0, [x20, #EACH]
    mov x1, #1
    cmp x19, #(COUNT - 1)
    csel x1, x1, x21, eq
    CHECK_SAME(x0, x1)
    add x19, x19, #1
    cmp x19, #COUNT
    b.ne 1b
    ret x22

// The redistributor at this CPU's place is its own, and the last one of its region if it should be.
check_type:
    own_number x4
    ldr x2, =GICR_BASE
    subs x3, x4, #GICR_FIRST_COUNT
    csel x3, x4, x3, lo
    ldr x5, =GICR_MORE_BASE
    csel x2, x2, x5, lo
    add x2, x2, x3, lsl #17
    ldr x0, [x2, #8]               // GICR_TYPER
    lsr x1, x0, #32
    mov x5, x4
    affinity x5
    CHECK_SAME(x1, x5)
    ubfx x1, x0, #4, #1            // Last
    cmp x4, #(COUNT - 1)
    cset x5, eq
    cmp x4, #(GICR_FIRST_COUNT - 1)
    csinc x5, x5, xzr, ne
    CHECK_SAME(x1, x5)
    ret

another:
    own_number x19
    add x1, x19, #0x1000
    CHECK_SAME(x0, x1)
    adrp x0, stacks
    add x0, x0, :lo12:stacks
    add x1, x19, #1
    mov x2, #STACK
    madd x0, x1, x2, x0
    mov sp, x0
    adrp x0, vectors
    add x0, x0, :lo12:vectors
    msr vbar_el1, x0
    bl gic_cpu_init
    bl check_type
    mov w0, #SGI_EACH
    bl irq_enable
    mov w0, #SGI_CHAIN
    bl irq_enable
    mov w0, #SGI_OFF
    bl irq_enable
    counters x20, x19
    ldr w0, [x20, #READY]
    add w0, w0, #1
    str w0, [x20, #READY]
    msr daifclr, #2
1:  wfi
    b 1b

irq_handler:
    own_number x1
    counters x2, x1
    cmp x0, #SGI_OFF
    b.eq 4f
    cmp x0, #SGI_CHAIN
    b.eq 1f
    ldr w3, [x2, #EACH]
    add w3, w3, #1
    str w3, [x2, #EACH]
    ret
1:  ldr w3, [x2, #CHAIN]
    add w3, w3, #1
    str w3, [x2, #CHAIN]
    cmp x1, #(COUNT - 1)
    b.ne 2f
    cmp w3, #1
    b.ne 3f                        // the round is over
    mov x4, #(1 << 40)             // to all others
    orr x4, x4, #(SGI_EACH << 24)
    msr s3_0_c12_c11_5, x4
    isb
    mov x1, #-1
2:  add x1, x1, #1
    send SGI_CHAIN, x1
3:  ret
4:  msr s3_0_c12_c12_1, x0         // its end
    isb
    psci PSCI_CPU_OFF
    b .

    .bss
    .balign 16
counts: .skip 16 * COUNT
stacks: .skip STACK * COUNT
