// SPDX-License-Identifier: BSD-2-Clause
//
// What sgi_storm.S has besides when it is the storm with everything: each vCPU's timer fires, a shared interrupt comes and is re-routed at the same
// time, and with LPIS so does an LPI (its event 0, which MOVI moves). The next one of a kind is asked for when the last has been
// counted, so that each is counted once: one too many is found at once, and who waits for one that is lost waits for ever.
// x19: the vCPU's number, x20 and x23: something that changes. Clobbers x0-x7, x10, x16, x17 and x26-x28.
#pragma once

#include "gic.h"

#define SHARED  64
#define TIMER   27

// A counter of what was asked for, and one of what came: at `counters`, for all; at `timers`, 64 bytes for each vCPU.
#define ASKED_SHARED 0
#define TOOK_SHARED  4
#define ASKED_LPI    8
#define TOOK_LPI     12

.macro everything_begins
    bl begin_everything
.endm
.macro everything_opens
    bl open_everything
.endm
.macro everything_goes_on
    bl go_on_with_everything
.endm
.macro everything_ends
91: bl serve_once
    bl everything_came
    cbz x0, 91b
.endm
.macro everything_takes
    bl take_of_everything
    cbnz x1, 2f
.endm

// Fails unless there were some. Clobbers x0-x2.
.macro check_many count, line
    cmp \count, #20
    b.hs 92f
    mov w0, \count
    mov x1, #20
    load x2, \line
    b guest_fail
92:
.endm

    .text
begin_everything:
    stp x29, x30, [sp, #-16]!
    stp x19, x20, [sp, #-16]!
    adrp x0, gic_is_v3
    ldr w19, [x0, :lo12:gic_is_v3]
    ldr x20, =GICD_BASE
    mov x1, #SHARED
    mov w10, #2
    mov w2, #0xa0
    bl spi_setup
#ifdef LPIS
    stp x21, x22, [sp, #-16]!
    stp x23, x24, [sp, #-16]!
    its_open
    ldr x2, =GICR_BASE
    bl lpis_open                     // the ITS asks its table how many LPIs there are
    command MAPC, 0, 0, 0, (1<<63)|(0<<16)|0, 0
    command MAPC, 0, 0, 0, (1<<63)|(1<<16)|1, 0
    command MAPC, 0, 0, 0, (1<<63)|(2<<16)|2, 0
    command MAPC, 0, 0, 0, (1<<63)|(3<<16)|3, 0
    command_itt 0, 5
    mov x0, #0
    mov w1, #0xa1
    bl lpi_configure
    command MAPTI, 0, 0, 8192, 0, 0
    command INVALL, 0, 0, 0, 0, 0
    bl its_ring
    adrp x0, next_command
    str x23, [x0, :lo12:next_command]
    ldp x23, x24, [sp], #16
    ldp x21, x22, [sp], #16
#endif
    ldp x19, x20, [sp], #16
    ldp x29, x30, [sp], #16
    ret

open_everything:
    stp x29, x30, [sp, #-16]!
    mov w0, #TIMER
    bl irq_enable
#ifdef LPIS
    ldr x2, =GICR_BASE
    add x2, x2, x19, lsl #17
    bl lpis_open
#endif
    ldp x29, x30, [sp], #16
    ret

go_on_with_everything:
    stp x29, x30, [sp, #-16]!
    // The own timer, if it is not on.
    adrp x26, timers
    add x26, x26, :lo12:timers
    add x26, x26, x19, lsl #6
    ldp w0, w1, [x26]
    cmp w0, w1
    b.ne 1f
    add w0, w0, #1
    str w0, [x26]
    mrs x0, cntvct_el0
    add x0, x0, #500
    msr cntv_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    isb
1:  adrp x26, counters
    add x26, x26, :lo12:counters
    add x27, x23, x20
    and x27, x27, #3                 // where it goes next
    cbz x19, 3f
    tbz x19, #0, 2f
    // vCPUs 1 and 3 move the shared one.
    ldr x28, =GICD_BASE
    adrp x0, gic_is_v3
    ldr w0, [x0, :lo12:gic_is_v3]
    cbz w0, 4f
    add x28, x28, #0x6000
    str x27, [x28, #(8 * SHARED)]
    b 2f
4:  mov w0, #1
    lsl w0, w0, w27
    add x28, x28, #0x800
    strb w0, [x28, #SHARED]
2:  ldp x29, x30, [sp], #16
    ret
    // vCPU 0 asks for them.
3:  ldr w0, [x26, #ASKED_SHARED]
    add x28, x26, #TOOK_SHARED
    ldar w1, [x28]
    cmp w0, w1
    b.ne 5f
    add w0, w0, #1
    str w0, [x26, #ASKED_SHARED]
    dsb sy
    ldr x28, =GICD_BASE
    mov w0, #1
    str w0, [x28, #(0x200 + SHARED / 8)]
5:
#ifdef LPIS
    stp x21, x22, [sp, #-16]!
    stp x23, x24, [sp, #-16]!
    ldr x21, =GITS_BASE
    adrp x22, queue
    add x22, x22, :lo12:queue
    adrp x24, next_command
    add x24, x24, :lo12:next_command
    ldr x23, [x24]
    ldr w0, [x26, #ASKED_LPI]
    add x28, x26, #TOOK_LPI
    ldar w1, [x28]
    cmp w0, w1
    b.ne 6f
    add w0, w0, #1
    str w0, [x26, #ASKED_LPI]
    command INT, 0, 0, 0, 0, 0
6:  mov x0, #MOVI
    mov x1, #0
    mov x2, x27
    mov x3, #0
    bl its_put
    bl its_ring
    str x23, [x24]
    ldp x23, x24, [sp], #16
    ldp x21, x22, [sp], #16
#endif
    ldp x29, x30, [sp], #16
    ret

// x0: 1 when all that this vCPU asked for has come
everything_came:
    adrp x1, timers
    add x1, x1, :lo12:timers
    add x1, x1, x19, lsl #6
    ldp w2, w3, [x1]
    cmp w2, w3
    b.ne 1f
    cbnz x19, 2f
    adrp x1, counters
    add x1, x1, :lo12:counters
    ldp w2, w3, [x1]
    cmp w2, w3
    b.ne 1f
    check_many w2, __LINE__
    ldp w2, w3, [x1, #8]
    cmp w2, w3
    b.ne 1f
#ifdef LPIS
    check_many w2, __LINE__
#endif
2:  mov x0, #1
    ret
1:  mov x0, #0
    ret

// x0: what was acknowledged, w25: its low bits. x1: 1 when it was one of these; it is ended then.
take_of_everything:
    adrp x26, counters
    add x26, x26, :lo12:counters
    cmp w0, #TIMER
    b.eq 1f
    cmp w0, #SHARED
    b.eq 2f
    mov w2, #8192
    cmp w0, w2
    b.eq 3f
    mov x1, #0
    ret
1:  msr cntv_ctl_el0, xzr
    isb
    adrp x26, timers
    add x26, x26, :lo12:timers
    add x26, x26, x19, lsl #6
    b 4f
3:  add x26, x26, #ASKED_LPI
2:
4:  add x27, x26, #4
5:  ldaxr w2, [x27]
    add w2, w2, #1
    stlxr w3, w2, [x27]
    cbnz w3, 5b
    ldr w3, [x26]
    cmp w2, w3
    b.hi 6f                          // one too many
    str x30, [sp, #-16]!
    bl end
    ldr x30, [sp], #16
    mov x1, #1
    ret
6:  mov w1, w3
    mov x3, x0
    mov w0, w2
    mov x2, x3
    b guest_fail

    .ltorg
    gic_helpers
#ifdef LPIS
    its_helpers
#endif

    .bss
    .balign 64
counters:     .skip 64
next_command: .skip 64
timers:       .skip 64 * 4
    .text
