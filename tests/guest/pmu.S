// SPDX-License-Identifier: BSD-2-Clause
//
// The performance monitors are the guest's: found in the ID registers, they count its own instructions and none of the host's, in every way of reaching
// a counter, and their overflow interrupt is a level that the guest's accesses raise and lower.
// run: --icount
#include "guest.h"

#define INTID_PMU 23
#define INST_RETIRED 8
#define CYCLES 31
#define NSH (1 << 27)

    .globl main, irq_handler
main:
    str x30, [sp, #-16]!
    // There, of a version that this host knows, with counters; what is newer is hidden.
    mrs x0, id_aa64dfr0_el1
    ubfx x20, x0, #8, #4
    cbz x20, 1f
    cmp x20, #6
    b.ls 2f
1:  mov x0, x20
    mov x2, #__LINE__
    b guest_fail
2:  mrs x0, pmcr_el0
    ubfx x21, x0, #11, #5
    cbz x21, 1b
    mrs x0, pmceid0_el0
    ubfx x0, x0, #INST_RETIRED, #1
    CHECK(x0, 1)

    // Off after a reset, and nothing enabled.
    mrs x0, pmcr_el0
    and x0, x0, #1
    CHECK(x0, 0)
    mrs x0, pmcntenset_el0
    CHECK(x0, 0)
    mrs x0, pmintenset_el1
    CHECK(x0, 0)
    mrs x0, pmuserenr_el0
    CHECK(x0, 0)

    // 100,000 rounds of two instructions.
    mov x0, #INST_RETIRED
    msr pmevtyper0_el0, x0
    mov x0, #1
    msr pmcr_el0, x0
    isb
    ldr x22, =100000
    bl count_loop
    lsl x22, x22, #1
    bl check_about
    // The same counter by its number.
    msr pmselr_el0, xzr
    isb
    mrs x1, pmxevcntr_el0
    CHECK_SAME(x1, x0)
    mrs x1, pmxevtyper_el0
    CHECK(x1, INST_RETIRED)

    // What the host does for 1,000 calls is not counted: five instructions a round are the guest's.
    mov x22, #1000
    bl count_calls
    mov x23, #5
    mul x22, x22, x23
    bl check_about
    // Not even if the guest wants EL2 to be counted, where the CPU can forbid it (FEAT_PMUv3p1).
    cmp x20, #4
    b.lo 3f
    ldr x0, =(NSH | INST_RETIRED)
    msr pmevtyper0_el0, x0
    mov x22, #1000
    bl count_calls
    mul x22, x22, x23
    bl check_about
    mov x0, #INST_RETIRED
    msr pmevtyper0_el0, x0
3:
    // Cycles are counted, too.
    mov x0, #(1 << 31)
    msr pmcntenset_el0, x0
    isb
    mrs x23, pmccntr_el0
    mov x0, #1000
4:  subs x0, x0, #1
    b.ne 4b
    isb
    mrs x24, pmccntr_el0
    cmp x24, x23
    b.hi 5f
    mov x2, #__LINE__
    b guest_fail
5:  mov x0, #(1 << 31)
    msr pmcntenclr_el0, x0

    // A counter that is about to overflow does so once, with one interrupt.
    bl gic_init
    mov w0, #INTID_PMU
    bl irq_enable
    mov x0, #1
    msr pmovsclr_el0, x0
    msr pmintenset_el1, x0
    ldr x0, =0xffffff00
    msr pmevcntr0_el0, x0
    mov x27, #0                    // interrupts that the handler leaves standing
    msr daifclr, #2
    mov x0, #1
    msr pmcntenset_el0, x0
    isb
    mov x0, #1000
6:  subs x0, x0, #1
    b.ne 6b
    mov x0, #1
    msr pmcntenclr_el0, x0
    isb
    bl interrupts
    CHECK(x0, 1)

    // It is a level: a handler that leaves it is called again.
    mov x27, #2
    mov x0, #1
    msr pmovsset_el0, x0
    isb
7:  cbnz x27, 7b
    mrs x0, pmovsset_el0
8:  mrs x0, pmovsset_el0
    tbnz x0, #0, 8b
    bl interrupts
    CHECK(x0, 4)

    // And one that falls before the interrupt is taken has none.
    msr daifset, #2
    mov x0, #1
    msr pmovsset_el0, x0
    isb
    mrs x1, isr_el1
    tbz x1, #7, .-4
    // The host looks on meanwhile; everything works as before.
    bl while_asserted
    mov x0, #1
    msr pmovsclr_el0, x0
    isb
    mrs x1, isr_el1
    tbnz x1, #7, .-4
    msr daifclr, #2
    isb
    bl interrupts
    CHECK(x0, 4)

    // Software increments, in hardware's own hands.
    msr pmevtyper1_el0, xzr
    msr pmevcntr1_el0, xzr
    mov x0, #2
    msr pmcntenset_el0, x0
    isb
    msr pmswinc_el0, x0
    isb
    mrs x1, pmevcntr1_el0
    CHECK(x1, 1)

    // What there is not.
    expect 9f
    mrs x0, s3_0_c9_c14_5
    mov x2, #__LINE__
    b guest_fail
9:  expect 10f
    msr s3_3_c9_c12_6, x0            // PMCEID0_EL0
    mov x2, #__LINE__
    b guest_fail
10: ldr x30, [sp], #16
    ret

// Counter 0 over x22 rounds of two instructions; x0: the count.
count_loop:
    msr pmevcntr0_el0, xzr
    mov x1, x22
    mov x0, #1
    msr pmcntenset_el0, x0
    isb
1:  subs x1, x1, #1
    b.ne 1b
    msr pmcntenclr_el0, x0
    isb
    mrs x0, pmevcntr0_el0
    ret
// The same over x22 calls, five instructions each.
count_calls:
    msr pmevcntr0_el0, xzr
    mov x19, x22
    mov x0, #1
    msr pmcntenset_el0, x0
    isb
1:  movz w0, #0x8400, lsl #16      // PSCI_VERSION
    nop
    hvc #0
    subs x19, x19, #1
    b.ne 1b
    mov x0, #1
    msr pmcntenclr_el0, x0
    isb
    mrs x0, pmevcntr0_el0
    ret
// x0 is x22, or a few more.
check_about:
    cmp x0, x22
    b.lo 1f
    add x1, x22, #20
    cmp x0, x1
    b.ls 2f
1:  mov x1, x22
    mov x2, #__LINE__
    b guest_fail
2:  ret
// x0: how many there were.
interrupts:
    adrp x0, irq_count
    add x0, x0, :lo12:irq_count
    ldr w0, [x0, #(4 * INTID_PMU)]
    ret

// Accesses of each kind while the interrupt is asserted. Counter 0 is what asserts it, and has to stay.
while_asserted:
    msr pmevtyper1_el0, xzr        // software increments
    ldr x0, =0xffffffff
    msr pmevcntr1_el0, x0
    mrs x1, pmevcntr1_el0
    CHECK(x1, 0xffffffff)
    mov x0, #2
    msr pmcntenset_el0, x0
    mrs x1, pmcntenclr_el0
    CHECK(x1, 2)
    isb
    msr pmswinc_el0, x0            // which overflows
    isb
    mrs x1, pmevcntr1_el0
    and x1, x1, #0xffffffff
    CHECK(x1, 0)
    mrs x1, pmovsclr_el0
    CHECK(x1, 3)
    msr pmovsclr_el0, x0           // the other one stays
    mrs x1, pmovsset_el0
    CHECK(x1, 1)
    msr pmcntenclr_el0, x0
    msr pmswinc_el0, x0            // which is off
    isb
    mov x1, #1
    msr pmselr_el0, x1
    isb
    mrs x1, pmxevcntr_el0
    and x1, x1, #0xffffffff
    CHECK(x1, 0)
    mov x0, #77
    msr pmxevcntr_el0, x0
    mov x0, #INST_RETIRED
    msr pmxevtyper_el0, x0
    isb
    mrs x1, pmevcntr1_el0
    CHECK(x1, 77)
    mrs x1, pmevtyper1_el0
    CHECK(x1, INST_RETIRED)
    mrs x1, pmselr_el0
    CHECK(x1, 1)
    mov x0, #CYCLES
    msr pmselr_el0, x0
    isb
    ldr x0, =NSH
    msr pmxevtyper_el0, x0
    isb
    mrs x1, pmccfiltr_el0
    CHECK_SAME(x1, x0)
    msr pmccfiltr_el0, xzr
    ldr x0, =0x123456789
    msr pmccntr_el0, x0
    mrs x1, pmccntr_el0
    CHECK_SAME(x1, x0)
    mrs x1, pmcr_el0
    ubfx x2, x1, #11, #5
    CHECK_SAME(x2, x21)
    mrs x1, pmintenclr_el1
    CHECK(x1, 1)
    mov x0, #4
    msr pmuserenr_el0, x0
    mrs x1, pmuserenr_el0
    CHECK(x1, 4)
    msr pmuserenr_el0, xzr
    mrs x1, pmovsset_el0
    CHECK(x1, 1)
    ret

// The overflow is its reason. It owns x27: as often it leaves it.
irq_handler:
    cmp x0, #INTID_PMU
    b.ne 1f
    mrs x1, pmovsclr_el0
    tbz x1, #0, 1f
    cbz x27, 2f
    sub x27, x27, #1
    ret
2:  mov x1, #1
    msr pmovsclr_el0, x1
    isb
    ret
1:  mov x2, #__LINE__
    b guest_fail
