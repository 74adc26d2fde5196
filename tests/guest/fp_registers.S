// SPDX-License-Identifier: BSD-2-Clause
//
// All 32 vector registers survive every kind of exit: hypercall, device load and store, system register, unknown access,
// software interrupt, timer interrupt, sleep.
#include "guest.h"

.macro fill_one n
    mov x0, #(0x1000 + \n)
    mov v\n\().d[0], x0
    mov x0, #(0x2000 + \n)
    mov v\n\().d[1], x0
.endm
.macro compare_one n
    mov x10, v\n\().d[0]
    CHECK(x10, (0x1000 + \n))
    mov x10, v\n\().d[1]
    CHECK(x10, (0x2000 + \n))
.endm
.altmacro
.macro each do
    .set index, 0
    .rept 32
    \do %index
    .set index, index + 1
    .endr
.endm

    .globl main, irq_handler
main:
    str x30, [sp, #-16]!
    bl gic_init
    mov w0, #INTID_VTIMER
    bl irq_enable
    mov w0, #3
    bl irq_enable
    each fill_one

    ldr w0, =PSCI_VERSION
    hvc #0
    bl compare
    mov x1, #UART_BASE
    ldr w0, [x1, #UART_IBRD]
    bl compare
    str w0, [x1, #UART_IBRD]
    bl compare
    ldp w2, w3, [x1, #UART_IBRD]
    bl compare
    mrs x0, id_aa64mmfr0_el1
    bl compare
    adr x9, 1f
    adrp x10, expected_resume
    str x9, [x10, :lo12:expected_resume]
    ldr x9, =UNMAPPED
    ldr w0, [x9]
1:  bl compare
    msr daifclr, #2
    mov w0, #3
    bl send_self_sgi
    isb
    bl compare
    msr daifset, #2
    mrs x0, cntvct_el0
    add x0, x0, #4000
    msr cntv_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
    wfi
    msr daifclr, #2
2:  adrp x0, irq_count
    add x0, x0, :lo12:irq_count
    ldr w0, [x0, #(4 * INTID_VTIMER)]
    cbz w0, 2b
    bl compare
    ldr x30, [sp], #16
    ret

compare:
    each compare_one
    ret

irq_handler:
    cmp x0, #INTID_VTIMER
    b.ne 1f
    msr cntv_ctl_el0, xzr
    isb
1:  ret
