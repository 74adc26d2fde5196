// SPDX-License-Identifier: BSD-2-Clause
//
// VCPUS vCPUs that sleep beside a VM that is measured: each waits for its timer, which comes when that has long been done.
#include "guest.h"
#include "vcpus.inc"

    .globl main

main:
    start_others VCPUS, asleep

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
