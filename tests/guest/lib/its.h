// SPDX-License-Identifier: BSD-2-Clause
//
// For guests with an ITS: tables, a queue of 128 commands, LPIs 8192 to 16383. x21: GITS, x22: the queue, x23: the offset of the next command.
// A guest says its_open after gic_begin, and its_helpers behind its code.
#pragma once

#include "guest.h"
#include "gic.h"

#define GITS_BASE 0x08080000
#define MOVI    0x01
#define INT     0x03
#define CLEAR   0x04
#define SYNC    0x05
#define MAPD    0x08
#define MAPC    0x09
#define MAPTI   0x0a
#define INV     0x0c
#define INVALL  0x0d
#define MOVALL  0x0e
#define DISCARD 0x0f

// Puts a command into the queue. Clobbers x0-x4.
.macro command what, device, event, intid, rest, last
    load x0, ((\device)<<32)|(\what)
    load x1, ((\intid)<<32)|(\event)
    load x2, (\rest)
    load x3, (\last)
    bl its_put
.endm
// MAPD of a device with 2^bits events, at `translations`.
.macro command_itt device, bits
    load x0, ((\device)<<32)|MAPD
    mov x1, #((\bits) - 1)
    adrp x2, translations
    add x2, x2, :lo12:translations
    orr x2, x2, #(1 << 63)
    mov x3, #0
    bl its_put
.endm
// Sets x21, x22, x23. Clobbers x0, x1.
.macro its_open
    ldr x21, =GITS_BASE
    adrp x22, queue
    add x22, x22, :lo12:queue
    mov x23, #0
    adrp x0, devices
    add x0, x0, :lo12:devices
    orr x0, x0, #(1 << 63)
    str x0, [x21, #0x100]            // GITS_BASER0
    adrp x0, collections
    add x0, x0, :lo12:collections
    orr x0, x0, #(1 << 63)
    str x0, [x21, #0x108]            // GITS_BASER1
    orr x0, x22, #(1 << 63)
    str x0, [x21, #0x80]             // GITS_CBASER
    mov w0, #1
    str w0, [x21]                    // GITS_CTLR
.endm
.macro its_helpers
// x2: this CPU's redistributor. Clobbers x0.
lpis_open:
    adrp x0, configuration
    add x0, x0, :lo12:configuration
    add x0, x0, #13                  // INTIDs of 14 bits
    str x0, [x2, #0x70]              // GICR_PROPBASER
    adrp x0, pending
    add x0, x0, :lo12:pending
    orr x0, x0, #(1 << 62)           // all zero
    str x0, [x2, #0x78]              // GICR_PENDBASER
    mov w0, #1
    str w0, [x2]                     // GICR_CTLR.EnableLPIs
    ret
// x0: LPI, counted from 0; w1: its entry. Clobbers x2.
lpi_configure:
    adrp x2, configuration
    add x2, x2, :lo12:configuration
    strb w1, [x2, x0]
    dsb sy
    ret
// x0-x3: a command. Clobbers x4.
its_put:
    add x4, x22, x23
    stp x0, x1, [x4]
    stp x2, x3, [x4, #16]
    add x23, x23, #32
    and x23, x23, #0xfff
    ret
// Has them carried out, and waits until they are. Clobbers x0.
its_ring:
    dsb sy
    str x23, [x21, #0x88]            // GITS_CWRITER
its_wait:
1:  ldr x0, [x21, #0x90]             // GITS_CREADR
    cmp x0, x23
    b.ne 1b
    ret
its_ring_only:
    dsb sy
    str x23, [x21, #0x88]
    ret
// x0: the LPI, or 1023 when none is signalled at once; ended. Clobbers x9.
take_lpi_once:
    mov x9, #1
    b 1f
take_lpi:
    mov x9, #0x4000000
1:  dsb sy
    isb
    mrs x0, s3_0_c12_c12_0           // ICC_IAR1_EL1
    cmp x0, #1023
    b.ne 2f
    subs x9, x9, #1
    b.ne 1b
    ret
2:  msr s3_0_c12_c12_1, x0           // ICC_EOIR1_EL1
    isb
    ret
    .ltorg
    .pushsection .bss
    .balign 65536
pending:       .skip 65536
configuration: .skip 8192
devices:       .skip 4096
collections:   .skip 4096
queue:         .skip 4096
translations:  .skip 4096
    .popsection
.endm
