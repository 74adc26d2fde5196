// SPDX-License-Identifier: BSD-2-Clause
//
// Every kind of load, store, atomic and cache instruction at every kind of address: devices, the interrupt controller, nothing, the last bytes
// of RAM, a device's last bytes, aligned and not. Each is done, or is an exception that the guest steps over; the guest is itself afterwards:
// its registers, its stack and its console.
// run: --log-level error
#include "guest.h"

    .arch armv8.5-a+memtag

    .globl main
main:
    str x30, [sp, #-16]!
    adr x0, odd_vectors
    msr vbar_el1, x0
    mrs x0, sctlr_el1              // unaligned accesses are allowed where memory allows them
    bic x0, x0, #2
    msr sctlr_el1, x0
    isb
    mov x29, sp
    adr x27, places
next_place:
    ldr x28, [x27], #8
    cmn x28, #1
    b.eq done
    adr x26, offsets
next_offset:
    ldrsh x25, [x26], #2
    mov x0, #0x7fff
    cmp x25, x0
    b.eq next_place
    add x20, x28, x25              // the address
    adr x24, cases
next_case:
    // x0 to x7: data; x8: the address, which some instructions change
    mov x8, x20
    mov x0, #0
    mov x1, #0
    mov x2, #0
    mov x3, #0
    mov x4, #0
    mov x5, #0
    mov x6, #0
    mov x7, #0
    blr x24
    mov x0, sp
    CHECK_SAME(x0, x29)
    add x24, x24, #8
    adr x0, cases_end
    cmp x24, x0
    b.lo next_case
    b next_offset
done:
    // Stores of zero have turned the UART off.
    mov x20, #UART_BASE
    mov w0, #0x301
    str w0, [x20, #0x30]
    adrp x1, skipped
    ldr x1, [x1, :lo12:skipped]
    cmp x1, #100                   // the guest did get exceptions
    b.hs 1f
    mov x2, #__LINE__
    b guest_fail
1:  ldr x30, [sp], #16
    ret

places: .quad UART_BASE, RTC_BASE, GICD_BASE, GICD_BASE + 0x400, GICC_BASE, GICR_BASE, GICR_BASE + 0x10000, UNMAPPED
        .quad 0x48000000 + 0x18000000 - 16 // the last bytes of RAM (512 MiB)
        .quad UART_BASE + 0xff8, 0xfffffffff0, 0x0000fffffffffff0, -1
    // 0x7fff ends them.
offsets: .short 0, 1, 3, 4, 7, 8, 12, 0x7fff
    .balign 8

    .macro case text:vararg
    \text
    ret
    .endm
cases:
    case ldp x0, x1, [x8]
    case ldp w0, w1, [x8, #8]!
    case ldp x0, x1, [x8], #16
    case ldpsw x0, x1, [x8]
    case ldnp x0, x1, [x8]
    case stp x0, x1, [x8]
    case stp xzr, xzr, [x8], #16
    case stnp w0, w1, [x8]
    case ldp q0, q1, [x8]
    case stp d0, d1, [x8]
    case ldr x0, [x8, #8]!
    case ldrsb w0, [x8], #1
    case ldur x0, [x8, #-1]
    case ldtr x0, [x8]
    case sttrb w0, [x8]
    case ldr q0, [x8]
    case str b0, [x8]
    case ld1 {v0.16b-v3.16b}, [x8]
    case ld2 {v0.4s,v1.4s}, [x8]
    case ld3r {v0.2d-v2.2d}, [x8]
    case st4 {v0.8h-v3.8h}, [x8]
    case ld1 {v0.d}[1], [x8]
    case st2 {v0.b,v1.b}[3], [x8]
    case ldxr x0, [x8]
    case stxr w0, x1, [x8]
    case ldaxp x0, x1, [x8]
    case stlxp w0, x1, x2, [x8]
    case ldar w0, [x8]
    case stlr w0, [x8]
    case ldlar w0, [x8]
    case ldapr w0, [x8]
    case ldapur x0, [x8]
    case stlur x0, [x8]
    case ldadd x0, x1, [x8]
    case stset w0, [x8]
    case ldumaxal x0, x1, [x8]
    case swpb w0, w1, [x8]
    case swpal x0, x1, [x8]
    case cas x0, x1, [x8]
    case casalh w0, w1, [x8]
    case casp x0, x1, x2, x3, [x8]
    case caspal w0, w1, w2, w3, [x8]
    case ldraa x0, [x8]
    case prfm pldl1keep, [x8]
    case prfm pstl1strm, [x8]
    case dc zva, x8
    case dc civac, x8
    case dc cvac, x8
    case dc cvau, x8
    case dc cvap, x8
    case dc ivac, x8
    case ic ivau, x8
    case at s1e1r, x8
    case at s1e1w, x8
    case at s1e0r, x8
    case at s1e0w, x8
    case at s1e1rp, x8
    case tlbi vae1, x8
    case tlbi vaale1is, x8
    case tlbi rvae1, x8
    case dc isw, x0
    case dc cisw, x0
    case stg x0, [x8]
    case ldg x0, [x8]
    case dc gva, x8
    case ldr x8, [x8]
    .inst 0xf8008d08            // str x8, [x8, #8]!, which is unpredictable
    ret
    .inst 0xa8810108            // stp x8, x0, [x8], #16, which is, too
    ret
    .inst 0xf83fd100            // ld64b x0, [x8]
    ret
    .inst 0x19000500            // cpyfp [x0]!, [x0]!, x8!
    ret
cases_end:

    .balign 2048
odd_vectors:
    .rept 4
    .balign 128
    b not_ours
    .endr
    .balign 128
    mrs x9, esr_el1             // synchronous: go on behind it
    lsr x10, x9, #26
    cmp x10, #0x21
    b.eq not_ours               // nothing here jumps anywhere
    mrs x9, elr_el1
    add x9, x9, #4
    msr elr_el1, x9
    adrp x9, skipped
    ldr x10, [x9, :lo12:skipped]
    add x10, x10, #1
    str x10, [x9, :lo12:skipped]
    eret
    .balign 128
    b masked
    .rept 10
    .balign 128
    b not_ours
    .endr
masked:                         // an interrupt that nonsense has enabled: not before the end
    mrs x9, spsr_el1
    orr x9, x9, #0x3c0
    msr spsr_el1, x9
    eret
not_ours:
    mrs x0, esr_el1
    mrs x1, elr_el1
    mov x2, #__LINE__
    b guest_fail

    .bss
    .balign 8
skipped: .quad 0
