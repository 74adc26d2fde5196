// SPDX-License-Identifier: BSD-2-Clause
//
// One instruction for each register and direction, the vectors that go on where one is denied, and which registers are left out.
#include "registers.h"

    .globl readers, writers, excluded, changing, denied_vectors, data, second_is_done
    .balign 2048
denied_vectors:
    .rept 4
    .balign 128
    b stray
    .endr
    .balign 128
    mrs x16, esr_el1               // from EL1: a register that is not there, or is denied
    lsr x16, x16, #26
    cbz x16, here
    cmp x16, #0x07                 // FP, system register, SVE, SME
    b.eq here
    cmp x16, #0x18
    b.eq here
    cmp x16, #0x19
    b.eq here
    cmp x16, #0x1d
    b.eq here
    b stray
    .balign 128
    b stray
    .balign 128
    b stray
    .balign 128
    b stray
    .balign 128
    mrs x16, esr_el1               // from EL0: the same, or through
    lsr x16, x16, #26
    cmp x16, #0x15
    b.eq below
    cbz x16, below_denied
    cmp x16, #0x07
    b.eq below_denied
    cmp x16, #0x18
    b.eq below_denied
    cmp x16, #0x19
    b.eq below_denied
    cmp x16, #0x1d
    b.eq below_denied
    b stray
    .rept 7
    .balign 128
    b stray
    .endr
here:
    mov x27, #1
    msr elr_el1, x30
    eret
below_denied:
    mov x27, #1
below:
    ret x25
stray:
    adr x0, text_stray
    bl print
    mov x0, x20
    bl show_number
    mrs x0, esr_el1
    bl show_number
    mrs x0, elr_el1
    bl show_number
    bl print_newline
    b guest_off

text_stray:   .asciz "guest: FAIL: stray exception at"

    .macro stubs name, instruction
\name:
    .set id, FIRST
    .rept COUNT
    .inst \instruction | id << 5
    ret
    .set id, id + 1
    .endr
    .endm
    .section .text.stubs, "ax"
    .balign 4
    stubs readers, 0xd5200000
    stubs writers, 0xd5000000

    .macro entry op0, op1, crn, crm, op2
    .org ID(\op0, \op1, \crn, \crm, \op2) - FIRST
    .byte 1
    .endm
// Not written in general, since it could not go on.
    .section .data.excluded, "aw"
excluded:
    entry 3, 0, 1, 0, 0            // SCTLR_EL1
    entry 3, 0, 1, 0, 2            // CPACR_EL1
    entry 3, 0, 4, 0, 0            // SPSR_EL1
    entry 3, 0, 4, 0, 1            // ELR_EL1
    entry 3, 0, 4, 2, 0            // SPSel
    entry 3, 0, 12, 0, 0           // VBAR_EL1
    entry 3, 0, 14, 1, 0           // CNTKCTL_EL1
    entry 3, 3, 4, 2, 1            // DAIF
    .org COUNT
// Not compared: they change by themselves, or with each exception that this guest takes.
    .section .data.changing, "aw"
changing:
    entry 3, 0, 4, 0, 0            // SPSR_EL1
    entry 3, 0, 4, 0, 1            // ELR_EL1
    entry 3, 0, 5, 2, 0            // ESR_EL1
    entry 3, 0, 6, 0, 0            // FAR_EL1
    entry 3, 3, 2, 4, 0            // RNDR
    entry 3, 3, 2, 4, 1            // RNDRRS
    entry 3, 3, 4, 2, 0            // NZCV
    entry 3, 3, 9, 12, 3           // PMOVSCLR_EL0
    entry 3, 3, 9, 13, 0           // PMCCNTR_EL0
    entry 3, 3, 9, 13, 2           // PMXEVCNTR_EL0
    entry 3, 3, 9, 14, 3           // PMOVSSET_EL0
    entry 3, 3, 14, 0, 1           // CNTPCT_EL0
    entry 3, 3, 14, 0, 2           // CNTVCT_EL0
    entry 3, 3, 14, 0, 5           // CNTPCTSS_EL0
    entry 3, 3, 14, 0, 6           // CNTVCTSS_EL0
    entry 3, 3, 14, 2, 0           // CNTP_TVAL_EL0
    entry 3, 3, 14, 3, 0           // CNTV_TVAL_EL0
    .org ID(3, 3, 14, 8, 0) - FIRST // PMEVCNTR<n>_EL0
    .fill 31, 1, 1
    .org COUNT
    .bss
    .balign 16
second_is_done: .quad 0, 0
data: .skip 2 * PER_VCPU
