// SPDX-License-Identifier: BSD-2-Clause
//
// What the guest says.
#include "registers.h"

    .globl show_number, show_found, show_holds, show_findings, show_start
show_number:                       // x0; a blank before it
    stp x30, x0, [sp, #-16]!
    mov w0, #' '
    bl put_char
    ldr x0, [sp, #8]
    bl print_hex
    ldp x30, x0, [sp], #16
    ret

show_found:
    str x30, [sp, #-16]!
    mov w20, #FIRST
1:  slot x1, READABLE
    ldr x0, [x1]
    cbz x0, 2f
    adr x0, text_reads
    bl print
    mov x0, x20
    bl show_number
    slot x1, FOUND
    ldr x0, [x1]
    bl show_number
    bl print_newline
2:  each_id 1b
    adr x0, text_shown
    bl print
    ldr x30, [sp], #16
    ret

show_holds:
    str x30, [sp, #-16]!
    mov w20, #FIRST
1:  slot x1, HELD
    ldr x21, [x1]
    cbz x21, 2f
    adr x0, text_holds
    bl print
    mov x0, x20
    bl show_number
    mov x0, x21
    bl show_number
    bl print_newline
2:  each_id 1b
    ldr x30, [sp], #16
    ret

show_findings:
    str x30, [sp, #-16]!
    ldr x20, [x28, #FINDINGS]
    add x21, x28, #KEPT
    mov x22, #RECORDS
    cmp x20, x22
    csel x22, x20, x22, lo
1:  cbz x22, 2f
    adr x0, text_changed
    bl print
    ldr x0, [x21], #8
    bl show_number
    ldr x0, [x21], #8
    bl show_number
    ldr x0, [x21], #8
    bl show_number
    bl print_newline
    sub x22, x22, #1
    b 1b
2:  adr x0, text_yields
    bl print
    ldr x0, [x28, #YIELDS]
    bl show_number
    bl print_newline
    CHECK(x20, 0)
    ldr x0, [x28, #YIELDS]         // a test where nobody else ran proves nothing
    cmp x0, #(ROUNDS * 8)
    cset x0, hs
    CHECK(x0, 1)
    ldr x30, [sp], #16
    ret

// What the second vCPU found at its start, against the first one.
show_start:
    str x30, [sp, #-16]!
    mov x22, #0
    mov w20, #FIRST
1:  listed x1, changing
    cbnz w2, 2f
    mov w1, #ID(3, 0, 0, 0, 5)     // MPIDR_EL1: that is how they differ
    cmp w20, w1
    b.eq 2f
    slot x3, FOUND
    ldr x21, [x3]
    ldr x1, =PER_VCPU
    ldr x23, [x3, x1]
    cmp x21, x23
    b.eq 2f
    add x22, x22, #1
    adr x0, text_start
    bl print
    mov x0, x20
    bl show_number
    mov x0, x21
    bl show_number
    mov x0, x23
    bl show_number
    bl print_newline
2:  each_id 1b
    CHECK(x22, 0)
    ldr x30, [sp], #16
    ret

text_reads:   .asciz "reads"
text_holds:   .asciz "holds"
text_changed: .asciz "changed"
text_start:   .asciz "start"
text_shown:   .asciz "registers: shown\n"
text_yields:  .asciz "others ran"
