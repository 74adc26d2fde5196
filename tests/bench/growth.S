// SPDX-License-Identifier: BSD-2-Clause
//
// What interrupts cost where there is more about: VCPUS - 1 other vCPUs that sleep, and MASKED shared interrupts that are pending and enabled, but
// whose priority the CPU interface does not let through.
#include "guest.h"
#include "irq_rows.inc"
#include "vcpus.inc"

    .globl main, irq_handler

main:
    str x30, [sp, #-16]!
    bl gic_init
    mov w0, #1
    bl irq_enable
    mov w0, #INTID_VTIMER
    bl irq_enable
    start_others VCPUS, asleep
    bl mask
    msr daifclr, #2
    bl settle
    measure_irq sgi_self, sgi_self_eoi, start_sgi
    measure_irq vtimer, vtimer_eoi, start_timer
    measure_irq wfi_wake, wfi_wake_eoi, start_sleep
    ldr x30, [sp], #16
    ret

// Half a second, in which all others have gone to sleep.
settle:
    mrs x0, cntvct_el0
    ldr x1, =31250000
    add x0, x0, x1
    msr cntv_cval_el0, x0
    mov x26, #0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
1:  wfi
    cbz x26, 1b
    ret

asleep:
    msr daifset, #0xf
1:  wfi
    b 1b

// Private interrupts have priority 0xa0, the masked ones 0xf8, and the mask is 0xf0.
mask:
    ldr x9, =GICD_BASE
    adrp x10, gic_is_v3
    ldr w10, [x10, :lo12:gic_is_v3]
    ldr w11, =0xf8f8f8f8
    mov x12, #(32 + MASKED)
    mov x13, #32
1:  cmp x13, x12                     // a word of four
    b.hs 2f
    add x14, x9, #0x400
    str w11, [x14, x13]              // IPRIORITYR
    ldr w15, =0x01010101
    add x14, x9, #0x800
    cbnz w10, 3f
    str w15, [x14, x13]              // ITARGETSR
3:  add x13, x13, #4
    b 1b
2:  mov w11, #-1
    mov x13, #32
    b 5f
4:  lsr x14, x13, #3
    add x14, x14, x9
    cbz w10, 6f
    str w11, [x14, #0x80]            // IGROUPR: what has been set up is group 1 of GICv3
6:  str w11, [x14, #0x100]           // ISENABLER
    str w11, [x14, #0x200]           // ISPENDR
    add x13, x13, #32
5:  cmp x13, x12
    b.lo 4b
    mov x0, #0xf0
    cbz w10, 7f
    msr s3_0_c4_c6_0, x0             // ICC_PMR_EL1
    isb
    ret
7:  ldr x9, =GICC_BASE
    str w0, [x9, #4]
    ret
    .ltorg

    irq_row_helpers
