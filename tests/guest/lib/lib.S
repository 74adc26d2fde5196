// SPDX-License-Identifier: BSD-2-Clause
//
// Start-up, printing, exception vectors and interrupt controller set-up of the small guests. Works on GICv2 and GICv3
// (told apart by ID_AA64PFR0_EL1.GIC) and needs nothing but the `virt` map: it also runs in QEMU without a hypervisor.
#include "guest.h"

    .section .head, "ax"
    .globl start
image:
    b start
    .word 0
    .quad 0x80000              // text_offset: where QEMU and we load it
    .quad image_bytes
    .quad 0xa                  // little-endian, 4 KiB pages, anywhere
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .word 0

start:
    adrp x9, start_values      // what it changes: SP, VBAR_EL1, CPACR_EL1
    add x9, x9, :lo12:start_values
    mov x10, sp
    mrs x11, vbar_el1
    stp x10, x11, [x9]
    mrs x10, cpacr_el1
    str x10, [x9, #16]
    adrp x9, boot_argument
    str x0, [x9, :lo12:boot_argument]
    adrp x9, stack_top
    add sp, x9, :lo12:stack_top
    adr x9, vectors
    msr vbar_el1, x9
    mov x9, #(3 << 20)         // FP and SIMD without traps
    msr cpacr_el1, x9
    isb
    bl main
    b guest_pass

    .text
    .globl guest_pass, guest_fail, guest_off
guest_pass:
    adr x0, text_pass
    bl print
guest_off:
    ldr w0, =PSCI_SYSTEM_OFF
    hvc #0
    b .

// x0 found, x1 expected, x2 line
guest_fail:
    mov x19, x0
    mov x20, x1
    mov x21, x2
    adr x0, text_fail
    bl print
    mov x0, x21
    bl print_decimal
    adr x0, text_found
    bl print
    mov x0, x19
    bl print_hex
    adr x0, text_expected
    bl print
    mov x0, x20
    bl print_hex
    bl print_newline
    b guest_off

    .globl print, print_hex, print_decimal, print_newline, put_char
// x0: text that ends with 0. Clobbers x0-x3.
print:
    mov x1, #UART_BASE
1:  ldrb w2, [x0], #1
    cbz w2, 2f
    str w2, [x1, #UART_DR]
    b 1b
2:  ret
put_char:
    mov x1, #UART_BASE
    str w0, [x1, #UART_DR]
    ret
print_newline:
    mov w0, #'\n'
    b put_char
// x0: number. Clobbers x0-x5.
print_hex:
    mov x1, #UART_BASE
    mov w2, #'0'
    str w2, [x1]
    mov w2, #'x'
    str w2, [x1]
    mov x3, #60
1:  lsr x4, x0, x3
    and x4, x4, #15
    cmp x4, #10
    add x5, x4, #'0'
    add x4, x4, #('a' - 10)
    csel x4, x5, x4, lo
    str w4, [x1]
    subs x3, x3, #4
    b.pl 1b
    ret
print_decimal:
    sub sp, sp, #32
    add x1, sp, #31
    strb wzr, [x1]
    mov x2, #10
1:  udiv x3, x0, x2
    msub x4, x3, x2, x0
    add x4, x4, #'0'
    strb w4, [x1, #-1]!
    mov x0, x3
    cbnz x0, 1b
    mov x0, x1
    mov x5, x30
    bl print
    add sp, sp, #32
    ret x5

// -- exceptions -----------------------------------------------------------------------------------------------------
// A guest that expects an exception stores the address to go on at in `expected_resume`; the handler records ESR, FAR and
// ELR and goes there. Interrupts call irq_handler with the INTID in x0 and the virtual counter at entry in x1, if the guest
// defines one.
    .globl vectors, expected_resume, seen_esr, seen_far, seen_elr, irq_count
    .macro vector target
    .balign 128
    b \target
    .endm
    .balign 2048
vectors:
    .rept 4
    vector unexpected
    .endr
    vector synchronous
    vector interrupt
    vector unexpected
    vector unexpected
    .rept 8
    vector unexpected
    .endr

synchronous:
    stp x16, x17, [sp, #-16]!
    adrp x16, expected_resume
    ldr x17, [x16, :lo12:expected_resume]
    cbz x17, unexpected
    str xzr, [x16, :lo12:expected_resume]
    str x0, [sp, #-16]!
    mrs x0, esr_el1
    adrp x16, seen_esr
    str x0, [x16, :lo12:seen_esr]
    mrs x0, far_el1
    adrp x16, seen_far
    str x0, [x16, :lo12:seen_far]
    mrs x0, elr_el1
    adrp x16, seen_elr
    str x0, [x16, :lo12:seen_elr]
    msr elr_el1, x17
    ldr x0, [sp], #16
    ldp x16, x17, [sp], #16
    eret

unexpected:
    adr x0, text_exception
    bl print
    mrs x0, esr_el1
    bl print_hex
    adr x0, text_at
    bl print
    mrs x0, elr_el1
    bl print_hex
    adr x0, text_far
    bl print
    mrs x0, far_el1
    bl print_hex
    bl print_newline
    b guest_off

interrupt:
    sub sp, sp, #192
    stp x16, x17, [sp, #128]
    mrs x17, cntvct_el0        // when the interrupt was taken, for those who measure
    stp x0, x1, [sp]
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x18, x30, [sp, #144]
    mrs x0, elr_el1
    mrs x1, spsr_el1
    stp x0, x1, [sp, #160]
    adrp x9, gic_is_v3
    ldr w9, [x9, :lo12:gic_is_v3]
    cbz w9, 1f
    mrs x0, s3_0_c12_c12_0     // ICC_IAR1_EL1
    b 2f
1:  ldr x1, =GICC_BASE
    ldr w0, [x1, #0xc]
2:  str x0, [sp, #176]
    and x0, x0, #0x3ff
    cmp x0, #1020
    b.hs 4f
    adrp x1, irq_count
    add x1, x1, :lo12:irq_count
    ldr w2, [x1, x0, lsl #2]
    add w2, w2, #1
    str w2, [x1, x0, lsl #2]
    mov x1, x17
    bl irq_handler
    ldr x0, [sp, #176]
    adrp x9, gic_is_v3
    ldr w9, [x9, :lo12:gic_is_v3]
    cbz w9, 3f
    msr s3_0_c12_c12_1, x0     // ICC_EOIR1_EL1
    b 4f
3:  ldr x1, =GICC_BASE
    str w0, [x1, #0x10]
4:  ldp x0, x1, [sp, #160]
    msr elr_el1, x0
    msr spsr_el1, x1
    ldp x0, x1, [sp]
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x30, [sp, #144]
    add sp, sp, #192
    eret
    .weak irq_handler
irq_handler:
    ret

// -- interrupt controller -------------------------------------------------------------------------------------------
    .globl gic_init, gic_cpu_init, gic_is_v3, irq_enable, send_self_sgi
// Turns on the distributor and this CPU's interface; every private interrupt gets priority 0xa0, group 1 on GICv3.
gic_init:
    ldr x1, =GICD_BASE
    mrs x0, id_aa64pfr0_el1
    ubfx x0, x0, #24, #4
    mov w2, #1                 // GICv2: enabled
    cbz x0, 1f
    adrp x3, gic_is_v3
    str w2, [x3, :lo12:gic_is_v3]
    mov w2, #0x12              // ARE, group 1
1:  str w2, [x1]
// The part of it that each CPU does for itself.
gic_cpu_init:
    mrs x0, id_aa64pfr0_el1
    ubfx x0, x0, #24, #4
    cbz x0, 2f
    mov x3, x30
    bl redistributor
    mov x30, x3
    str wzr, [x2, #0x14]       // WAKER: awake
1:  ldr w0, [x2, #0x14]
    tbnz w0, #2, 1b
    add x2, x2, #0x10, lsl #12
    mov w0, #-1
    str w0, [x2, #0x80]        // IGROUPR0
    add x2, x2, #0x400
    ldr w0, =0xa0a0a0a0
    mov x3, #8
3:  str w0, [x2], #4
    subs x3, x3, #1
    b.ne 3b
    mov x0, #1
    msr s3_0_c12_c12_5, x0     // ICC_SRE_EL1
    isb
    mov x0, #0xff
    msr s3_0_c4_c6_0, x0       // ICC_PMR_EL1
    mov x0, #1
    msr s3_0_c12_c12_7, x0     // ICC_IGRPEN1_EL1
    isb
    ret
2:  ldr x2, =(GICD_BASE + 0x400)
    ldr w0, =0xa0a0a0a0
    mov x3, #8
4:  str w0, [x2], #4
    subs x3, x3, #1
    b.ne 4b
    ldr x2, =GICC_BASE
    mov w0, #0xff
    str w0, [x2, #4]
    mov w0, #1
    str w0, [x2]
    ret
// x2: this CPU's redistributor. Clobbers x0.
redistributor:
    mrs x0, mpidr_el1
    ubfx x2, x0, #8, #8        // 16 CPUs to a cluster
    and x0, x0, #0xf
    add x0, x0, x2, lsl #4
    subs x2, x0, #GICR_FIRST_COUNT
    b.hs 1f
    ldr x2, =GICR_BASE
    add x2, x2, x0, lsl #17
    ret
1:  mov x0, x2
    ldr x2, =GICR_MORE_BASE
    add x2, x2, x0, lsl #17
    ret
// w0: a private INTID to enable.
irq_enable:
    mov w1, #1
    lsl w1, w1, w0
    adrp x2, gic_is_v3
    ldr w2, [x2, :lo12:gic_is_v3]
    cbz w2, 1f
    mov x3, x30
    bl redistributor
    mov x30, x3
    add x2, x2, #0x10, lsl #12
    b 2f
1:  ldr x2, =GICD_BASE
2:  str w1, [x2, #0x100]
    ret
// w0: SGI number, to this CPU.
send_self_sgi:
    adrp x1, gic_is_v3
    ldr w1, [x1, :lo12:gic_is_v3]
    cbz w1, 1f
    lsl x0, x0, #24
    mrs x1, mpidr_el1
    and x2, x1, #0xf
    mov x3, #1
    lsl x3, x3, x2
    orr x0, x0, x3
    msr s3_0_c12_c11_5, x0     // ICC_SGI1R_EL1
    isb
    ret
1:  ldr x1, =GICD_BASE
    mov w2, #0x02000000        // to the sender itself
    orr w0, w0, w2
    str w0, [x1, #0xf00]
    ret

    .section .rodata
text_pass:      .asciz "guest: pass\n"
text_fail:      .asciz "guest: FAIL at line "
text_found:     .asciz ": found "
text_expected:  .asciz ", expected "
text_exception: .asciz "guest: FAIL: unexpected exception, ESR "
text_at:        .asciz " at "
text_far:       .asciz " FAR "

    .bss
    .balign 16
    .globl boot_argument, start_values
start_values:    .skip 24
boot_argument:   .quad 0
expected_resume: .quad 0
seen_esr:        .quad 0
seen_far:        .quad 0
seen_elr:        .quad 0
gic_is_v3:       .quad 0
irq_count:       .skip 4 * 1020
    .balign 4096
    .skip 16384
stack_top:
