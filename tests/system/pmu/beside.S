// SPDX-License-Identifier: BSD-2-Clause
//
// The guest of pmu_test.py beside another one on the same CPU: its counters show what it did, as often as it is interrupted, and hold what it
// left there. SEED tells one guest from another; HIDDEN: there are none, and an access is undefined; UNLISTED: it is told of none.
#include "guest.h"

#define INST_RETIRED 8
#define TIMES 20
#define ROUNDS 100000

    .globl main
main:
    str x30, [sp, #-16]!
    mrs x0, id_aa64dfr0_el1
    ubfx x0, x0, #8, #4
#ifdef UNLISTED
    CHECK(x0, 0)
#elif defined(HIDDEN)
    CHECK(x0, 0)
    expect 1f
    mrs x0, pmcr_el0
    b 9f
1:  expect 2f
    msr pmcntenset_el0, x0
    b 9f
2:  expect 3f
    mrs x0, pmccntr_el0
    b 9f
3:
#else
    cbz x0, 9f
    // It may start long after the other one has counted.
    mrs x0, pmovsset_el0
    CHECK(x0, 0)
    mrs x0, pmcntenset_el0
    CHECK(x0, 0)
    mrs x0, pmintenset_el1
    CHECK(x0, 0)
    mrs x0, pmccntr_el0
    CHECK(x0, 0)
    mrs x0, pmevcntr0_el0
    CHECK(x0, 0)
    mrs x0, pmevcntr1_el0
    CHECK(x0, 0)
    mov x0, #INST_RETIRED
    msr pmevtyper0_el0, x0
    mov x0, #(1 + SEED)            // events that nothing here causes
    msr pmevtyper1_el0, x0
    ldr x0, =(0x1234560 + SEED)
    msr pmevcntr1_el0, x0
    mov x0, #(4 + SEED)
    msr pmintenset_el1, x0
    mov x0, #(2 + SEED % 2)
    msr pmselr_el0, x0
    mov x0, #1
    msr pmcr_el0, x0
    isb
    mov x20, #TIMES
4:  msr pmevcntr0_el0, xzr
    ldr x1, =ROUNDS
    mov x0, #1
    msr pmcntenset_el0, x0
    isb
5:  subs x1, x1, #1
    b.ne 5b
    msr pmcntenclr_el0, x0
    isb
    mrs x0, pmevcntr0_el0
    ldr x1, =(2 * ROUNDS)
    sub x2, x0, x1
    cmp x2, #20
    b.ls 6f
    mov x2, #__LINE__
    b guest_fail
6:  mrs x0, pmevcntr1_el0
    CHECK(x0, 0x1234560 + SEED)
    mrs x0, pmevtyper1_el0
    and x0, x0, #0xffff
    CHECK(x0, 1 + SEED)
    mrs x0, pmintenset_el1
    CHECK(x0, 4 + SEED)
    mrs x0, pmselr_el0
    CHECK(x0, 2 + SEED % 2)
    mrs x0, pmovsset_el0
    CHECK(x0, 0)
    subs x20, x20, #1
    b.ne 4b
#endif
    ldr x30, [sp], #16
    ret
9:  mov x2, #__LINE__
    b guest_fail
