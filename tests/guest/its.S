// SPDX-License-Identifier: BSD-2-Clause
//
// An ITS: events of a device become LPIs, which come to the vCPU of their collection, once each; MOVI, MOVALL, CLEAR, DISCARD and INV do what
// they say, also to what is pending; commands that make no sense are passed over, and a queue outside memory stalls until it is retried.
// run: --vcpus 2 --msi its
// gic: 3
#include "its.h"

    .globl main
main:
    str x30, [sp, #-16]!
    gic_begin
    its_open
    ldr x2, =GICR_BASE
    bl lpis_open
    // The other vCPU takes LPIs with interrupts masked, and says which.
    ldr x0, =PSCI_CPU_ON_64
    mov x1, #1
    adr x2, second
    mov x3, #0
    hvc #0
    CHECK(x0, 0)
    adrp x26, other
    add x26, x26, :lo12:other
1:  yield
    ldr w0, [x26]
    cbz w0, 1b

    // Collection n is vCPU n; device 5 has 32 events; event n is LPI 8192 + n of collection 0.
    command MAPC, 0, 0, 0, (1<<63)|0, 0
    command MAPC, 0, 0, 0, (1<<63)|(1<<16)|1, 0
    command_itt 5, 5
    mov x27, #0
2:  mov x0, x27
    mov w1, #0xa1              // enabled
    bl lpi_configure
    add x1, x27, #8192
    orr x1, x27, x1, lsl #32
    ldr x0, =(5 << 32 | MAPTI)
    mov x2, #0
    mov x3, #0
    bl its_put
    add x27, x27, #1
    cmp x27, #32
    b.lo 2b
    command INVALL, 0, 0, 0, 0, 0
    bl its_ring

    // Each of them, once.
    mov x27, #0
3:  ldr x0, =(5 << 32 | INT)
    mov x1, x27
    mov x2, #0
    mov x3, #0
    bl its_put
    bl its_ring
    bl take_lpi
    add x1, x27, #8192
    CHECK_SAME(x0, x1)
    bl take_lpi_once
    CHECK(x0, 1023)
    add x27, x27, #1
    cmp x27, #32
    b.lo 3b

    // All at once: more than there are list registers.
    mov x27, #0
4:  ldr x0, =(5 << 32 | INT)
    mov x1, x27
    mov x2, #0
    mov x3, #0
    bl its_put
    add x27, x27, #1
    cmp x27, #32
    b.lo 4b
    bl its_ring
    mov x27, #0
    mov x28, #0
5:  bl take_lpi
    sub x0, x0, #8192
    mov x1, #1
    lsl x1, x1, x0
    orr x28, x28, x1
    add x27, x27, #1
    cmp x27, #32
    b.lo 5b
    CHECK(x28, 0xffffffff)
    bl take_lpi_once
    CHECK(x0, 1023)

    // MOVI of a pending one, and of what comes then.
    command INT, 5, 3, 0, 0, 0
    command MOVI, 5, 3, 0, 1, 0
    command SYNC, 0, 0, 0, 0, 0
    bl its_ring
    bl other_took
    CHECK(x0, 8195)
    bl take_lpi_once
    CHECK(x0, 1023)
    command INT, 5, 3, 0, 0, 0
    bl its_ring
    bl other_took
    CHECK(x0, 8195)
    command MOVI, 5, 3, 0, 0, 0
    // MOVALL of two.
    command INT, 5, 3, 0, 0, 0
    command INT, 5, 4, 0, 0, 0
    command MOVALL, 0, 0, 0, 0, 1<<16
    bl its_ring
    bl other_took
    mov x27, x0
    bl other_took
    add x27, x27, x0
    CHECK(x27, 8195 + 8196)
    bl take_lpi_once
    CHECK(x0, 1023)

    // CLEAR and DISCARD take pending ones away.
    command INT, 5, 6, 0, 0, 0
    command CLEAR, 5, 6, 0, 0, 0
    command INT, 5, 7, 0, 0, 0
    command DISCARD, 5, 7, 0, 0, 0
    command INT, 5, 7, 0, 0, 0
    bl its_ring
    bl take_lpi_once
    CHECK(x0, 1023)
    command INT, 5, 6, 0, 0, 0
    bl its_ring
    bl take_lpi
    CHECK(x0, 8198)

    // Disabled, it waits for the INV after it was enabled.
    mov x0, #6
    mov w1, #0xa0
    bl lpi_configure
    command INV, 5, 6, 0, 0, 0
    command INT, 5, 6, 0, 0, 0
    bl its_ring
    bl take_lpi_once
    CHECK(x0, 1023)
    mov x0, #6
    mov w1, #0xa1
    bl lpi_configure
    command INV, 5, 6, 0, 0, 0
    bl its_ring
    bl take_lpi
    CHECK(x0, 8198)

    // Nonsense: no such device, event, collection, vCPU, command.
    command INT, 6, 0, 0, 0, 0
    command INT, 5, 32, 0, 0, 0
    command INT, 0xffffffff, 0xffffffff, 0xffffffff, -1, -1
    command MAPC, 0, 0, 0, (1<<63)|99<<16, 0
    command MOVALL, 0, 0, 0, 99<<16, 1<<16
    command MAPTI, 5, 7, 8191, 0, 0
    command INT, 5, 7, 0, 0, 0
    command 0, 0, 0, 0, 0, 0
    command 0xff, 0, 0, 0, 0, 0
    command INT, 5, 8, 0, 0, 0
    bl its_ring
    bl take_lpi
    CHECK(x0, 8200)
    bl take_lpi_once
    CHECK(x0, 1023)

    // A device whose translations are nowhere: stalled, until retried.
    load x0, 5<<32|MAPD
    mov x1, #4
    load x2, (1<<63)|UNMAPPED
    mov x3, #0
    bl its_put
    command INT, 5, 8, 0, 0, 0
    bl its_ring_only
    ldr x0, [x21, #0x90]       // GITS_CREADR
    and x0, x0, #1
    CHECK(x0, 1)
    // The device where it was; the stalled command is still the INT.
    adrp x0, translations
    add x0, x0, :lo12:translations
    orr x0, x0, #(1 << 63)
    orr x0, x0, #4
    adrp x1, devices
    add x1, x1, :lo12:devices
    str x0, [x1, #(8 * 5)]
    dsb sy
    orr x0, x23, #1            // Retry
    str x0, [x21, #0x88]
    bl its_wait
    bl take_lpi
    CHECK(x0, 8200)
    ldr x30, [sp], #16
    ret

second:
    adrp x9, second_stack_top
    add sp, x9, :lo12:second_stack_top
    gic_begin_second
    ldr x2, =(GICR_BASE + 0x20000)
    bl lpis_open
    adrp x26, other
    add x26, x26, :lo12:other
    mov w0, #1
    str w0, [x26]
1:  ldr w0, [x26]
    cmp w0, #1
    b.ne 2f                    // the last one was not asked for yet
    bl take_lpi_once
    cmp x0, #1023
    b.eq 2f
    str w0, [x26]
2:  yield
    b 1b

// x0: what the other vCPU took next
other_took:
    ldr w0, [x26]
    cmp w0, #1
    b.ne 1f
    yield
    b other_took
1:  mov w1, #1
    str w1, [x26]
    ret
    .ltorg
    its_helpers
    gic_helpers

    .bss
    .balign 16
other: .quad 0
    .skip 4096
second_stack_top:
