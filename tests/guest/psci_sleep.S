// SPDX-License-Identifier: BSD-2-Clause
//
// A system that sleeps: SYSTEM_SUSPEND is denied while another CPU is on, ends with the alarm of the clock although the CPU interface is closed, and
// goes on at its entry as a CPU that was started, with its timer as it was. Then CPU_SUSPEND, in a powerdown state and in a standby, which the virtual
// timer ends; and a CPU that goes off and comes again, many times.
// run: --vcpus 2
#include "guest.h"
#include "gic.h"

#define SYSTEM_SUSPEND 0xc400000e
#define CPU_FREEZE     0x8400000b
#define STAT_COUNT     0xc4000011
#define POWERDOWN      (1 << 16)
#define RTC_INTID 34
#define RTC_DR    0x00
#define RTC_MR    0x04
#define RTC_IMSC  0x10
#define RTC_ICR   0x1c
#define DENIED    0xfffffffffffffffd
#define NOT_SUPPORTED 0xffffffffffffffff
#define CONTEXT   0x123456789abc
#define ROUNDS    3
#define STARTS    40

.macro psci function, a1=0
    load x0, \function
    load x1, \a1
    hvc #0
.endm

    .globl main
main:
    adrp x0, saved
    add x0, x0, :lo12:saved
    mov x1, sp
    stp x30, x1, [x0]
    gic_begin
    psci PSCI_FEATURES, SYSTEM_SUSPEND
    CHECK(x0, 0)
    psci PSCI_FEATURES, CPU_FREEZE
    mov x1, #-1
    CHECK_SAME(x0, x1)
    psci PSCI_FEATURES, STAT_COUNT
    mov x1, #-1
    CHECK_SAME(x0, x1)

    // Denied, as long as another one is on.
    bl start_second
    adr x1, slept
    load x0, SYSTEM_SUSPEND
    hvc #0
    CHECK(x0, DENIED)
    bl stop_second
    psci SYSTEM_SUSPEND, UNMAPPED
    CHECK(x0, 0xfffffffffffffff7)      // INVALID_ADDRESS

    // The clock wakes it.
    mov x1, #RTC_INTID
    mov x2, #0xa0
    mov x10, #0
    bl spi_setup
    mov x21, #ROUNDS
1:  ldr x0, =RTC_BASE
    ldr w1, [x0, #RTC_DR]
    add w1, w1, #1
    str w1, [x0, #RTC_MR]
    mov w1, #1
    str w1, [x0, #RTC_IMSC]
    bl close_interface
    movz x0, #0x7fff, lsl #48          // a timer far away
    add x0, x0, x21
    msr cntv_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    bl save
    adr x1, slept
    load x2, CONTEXT
    load x0, SYSTEM_SUSPEND
    hvc #0
    CHECK(x0, 0x5eed)                  // it does not return
slept:
    bl woken
    movz x0, #0x7fff, lsl #48
    add x0, x0, x21
    mrs x1, cntv_cval_el0
    CHECK_SAME(x0, x1)
    mrs x1, cntv_ctl_el0
    and x1, x1, #3
    CHECK(x1, 1)
    msr cntv_ctl_el0, xzr
    bl ack
    CHECK(x0, RTC_INTID)
    ldr x1, =RTC_BASE
    mov w2, #1
    str w2, [x1, #RTC_ICR]
    str wzr, [x1, #RTC_IMSC]
    bl eoi
    bl ack_once
    CHECK(x0, 1023)
    subs x21, x21, #1
    b.ne 1b

    // The timer wakes it from a powerdown state.
    mov w0, #INTID_VTIMER
    bl irq_enable
    mov x21, #ROUNDS
2:  bl close_interface
    bl arm_timer
    bl save
    load x0, PSCI_SUSPEND_64
    load x1, POWERDOWN
    adr x2, timed
    load x3, CONTEXT
    hvc #0
    CHECK(x0, 0x5eed)
timed:
    bl woken
    bl take_timer
    subs x21, x21, #1
    b.ne 2b
    // And from a standby, which returns.
    bl arm_timer
    load x0, PSCI_SUSPEND_64
    mov x1, #0
    hvc #0
    CHECK(x0, 0)
    bl take_timer

    // Off and on again.
    mov x21, #STARTS
3:  bl start_second
    bl stop_second
    subs x21, x21, #1
    b.ne 3b
    adrp x0, saved
    add x0, x0, :lo12:saved
    ldp x30, x1, [x0]
    mov sp, x1
    ret

// What a sleep takes away and is needed afterwards.
save:
    adrp x0, kept
    add x0, x0, :lo12:kept
    stp x19, x20, [x0]
    str x21, [x0, #16]
    ret
// x0: what it began with. Checks that, the state of the CPU, and opens the interface of the interrupt controller again.
woken:
    mov x22, x30
    mov x23, x0
    adrp x0, saved
    add x0, x0, :lo12:saved
    ldr x1, [x0, #8]
    mov sp, x1
    adrp x0, kept
    add x0, x0, :lo12:kept
    ldp x19, x20, [x0]
    ldr x21, [x0, #16]
    load x0, CONTEXT
    CHECK_SAME(x23, x0)
    mrs x0, currentel
    CHECK(x0, 4)
    mrs x0, daif
    CHECK(x0, 0x3c0)
    mrs x0, sctlr_el1
    and x0, x0, #1
    CHECK(x0, 0)
    mrs x0, mpidr_el1
    and x0, x0, #0xffffff
    CHECK(x0, 0)
    adrp x0, vectors
    add x0, x0, :lo12:vectors
    msr vbar_el1, x0
    bl gic_cpu_init
    ret x22

close_interface:
    cbz x19, 1f
    msr s3_0_c12_c12_7, xzr            // ICC_IGRPEN1_EL1
    msr s3_0_c4_c6_0, xzr              // ICC_PMR_EL1
    isb
    ret
1:  ldr x0, =GICC_BASE
    str wzr, [x0]
    str wzr, [x0, #4]
    ret

arm_timer:
    mrs x0, cntfrq_el0
    lsr x0, x0, #6
    msr cntv_tval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    ret
take_timer:
    mov x22, x30
    bl ack
    CHECK(x0, INTID_VTIMER)
    mrs x1, cntv_ctl_el0
    and x1, x1, #7
    CHECK(x1, 5)
    msr cntv_ctl_el0, xzr
    isb
    bl eoi
    ret x22

start_second:
    mov x22, x30
    adrp x23, runs
    str wzr, [x23, :lo12:runs]
    adr x2, second
    psci PSCI_CPU_ON_64, 0
    CHECK(x0, 0xfffffffffffffffc)      // the caller is on
    load x0, PSCI_CPU_ON_64
    mov x1, #1
    adr x2, second
    mov x3, #7
    hvc #0
    CHECK(x0, 0)
1:  ldr w0, [x23, :lo12:runs]
    yield
    cmp w0, #7
    b.ne 1b
    ret x22
stop_second:
    mov x22, x30
    str wzr, [x23, :lo12:runs]
1:  load x0, PSCI_AFFINITY_INFO
    mov x1, #1
    mov x2, #0
    hvc #0
    yield
    cmp x0, #1
    b.ne 1b
    ret x22
second:
    adrp x1, runs
    str w0, [x1, :lo12:runs]
1:  yield
    ldr w0, [x1, :lo12:runs]
    cbnz w0, 1b
    load x0, PSCI_CPU_OFF
    hvc #0
    b .
gic_helpers

    .bss
    .balign 16
saved: .skip 16
kept: .skip 24
runs: .skip 4
