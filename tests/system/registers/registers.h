// SPDX-License-Identifier: BSD-2-Clause
//
// What the parts of this guest share (main.S).
#pragma once
#include "guest.h"

#define FIRST    0x8000
#define COUNT    0x8000
#ifndef SEED
#define SEED 1
#endif
#ifndef ROUNDS
#define ROUNDS 12
#endif
#define EL0_FROM 8                 // rounds from this one on are at EL0
#define RECORDS  64
#define SPINS    80000             // of two or three instructions: longer than a time slice of 100 us
#define ID(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

// Of each vCPU, from x28:
#define FINDINGS  0                // how many values changed
#define YIELDS    8                // how often somebody else ran meanwhile
#define KEPT      16               // the first RECORDS findings: id, was, now
#define FOUND     (KEPT + RECORDS * 24)
#define READABLE  (FOUND + COUNT * 8)
#define MINE      (READABLE + COUNT * 8)
#define HELD      (MINE + COUNT * 8)
#define WRITABLE  (HELD + COUNT * 8)
#define MY_STACK  (WRITABLE + COUNT * 8)
#define PER_VCPU  (MY_STACK + 4096)

// x20: id, x28: data of this vCPU, x19: round, x26: exception level to work at, x27: not zero when the last access was denied.
.macro each_id label
    add w20, w20, #1
    tbz w20, #16, \label
.endm
.macro slot reg, table
    ldr \reg, =\table
    add \reg, \reg, x28
    sub w2, w20, #(FIRST >> 12), lsl #12
    add \reg, \reg, x2, lsl #3
.endm
.macro listed reg, list
    adrp \reg, \list
    add \reg, \reg, :lo12:\list
    sub w2, w20, #(FIRST >> 12), lsl #12
    ldrb w2, [\reg, x2]
.endm
