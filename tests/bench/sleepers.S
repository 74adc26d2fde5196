// SPDX-License-Identifier: BSD-2-Clause
//
// VCPUS vCPUs that sleep beside a VM that is measured: each waits for its timer, which comes when that has long been done.
#include "guest.h"

    .globl main

main:
    mov x19, #1
1:  cmp x19, #VCPUS
    b.hs asleep
    and x1, x19, #0xf                // 16 CPUs to a cluster
    lsr x2, x19, #4
    orr x1, x1, x2, lsl #8
    ldr x0, =PSCI_CPU_ON_64
    adr x2, asleep
    hvc #0
    CHECK(x0, 0)
    add x19, x19, #1
    b 1b

asleep:
    msr daifset, #0xf
    bl gic_cpu_init
    mov w0, #INTID_VTIMER
    bl irq_enable
    mrs x0, cntvct_el0
    ldr x1, =SECONDS * 62500000
    add x0, x0, x1
    msr cntv_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    wfi
    b guest_off
