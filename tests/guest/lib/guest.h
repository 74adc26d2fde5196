// SPDX-License-Identifier: BSD-2-Clause
//
// What every small guest shares: names, checks and the calls of lib.S. A guest is one file with a function `main`,
// entered at EL1h with a stack and vectors set up, interrupts masked. It returns to pass; a failed check prints its file's
// line and ends the guest. Registers x0-x18 are the callee's, x19-x28 the caller's, as in the procedure call standard.
#pragma once

#define UART_BASE  0x09000000
#define UART_DR    0x00
#define UART_FR    0x18
#define UART_FR_RXFE 4
#define UART_IBRD  0x24
#define UART_CR    0x30
#define RTC_BASE   0x09010000
#define GICD_BASE  0x08000000
#define GICC_BASE  0x08010000
#define GICR_BASE  0x080a0000
#define GICR_FIRST_COUNT 123              // as many are there, the others at
#define GICR_MORE_BASE   0x4000000000
#define UNMAPPED   0x0f000000

#define PSCI_VERSION        0x84000000
#define PSCI_CPU_OFF        0x84000002
#define PSCI_CPU_ON_64      0xc4000003
#define PSCI_AFFINITY_INFO  0xc4000004
#define PSCI_MIGRATE_TYPE   0x84000006
#define PSCI_SYSTEM_OFF     0x84000008
#define PSCI_SYSTEM_RESET   0x84000009
#define PSCI_FEATURES       0x8400000a
#define PSCI_SUSPEND_64     0xc4000001

#define INTID_VTIMER 27
#define INTID_PTIMER 30

.macro load reg, value
    .if ((\value) >> 32) & 0xffffffff
    movz \reg, #(((\value) >> 48) & 0xffff), lsl #48
    movk \reg, #(((\value) >> 32) & 0xffff), lsl #32
    movk \reg, #(((\value) >> 16) & 0xffff), lsl #16
    .else
    movz \reg, #(((\value) >> 16) & 0xffff), lsl #16
    .endif
    movk \reg, #((\value) & 0xffff)
.endm

// Fails unless the register holds the constant. Clobbers x16, x17.
#define CHECK(reg, value) check_line reg, value, __LINE__
.macro check_line reg, value, line
    load x16, (\value)
    mov x17, \reg
    cmp x17, x16
    b.eq 9999f
    mov x0, x17
    mov x1, x16
    load x2, \line
    b guest_fail
9999:
.endm
// Fails unless the two registers are equal. Clobbers x16, x17.
#define CHECK_SAME(a, b) check_same a, b, __LINE__
.macro check_same a, b, line
    mov x17, \a
    mov x16, \b
    cmp x17, x16
    b.eq 9999f
    mov x0, x17
    mov x1, x16
    load x2, \line
    b guest_fail
9999:
.endm

// The next exception goes on at the label. Clobbers x9, x10.
.macro expect label
    adr x9, \label
    adrp x10, expected_resume
    str x9, [x10, :lo12:expected_resume]
.endm
// What the last expected exception recorded: esr, far or elr.
.macro seen reg, what
    adrp \reg, seen_\what
    ldr \reg, [\reg, :lo12:seen_\what]
.endm
