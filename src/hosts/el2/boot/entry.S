// SPDX-License-Identifier: BSD-2-Clause
//
// The first instructions: the arm64 Image header (Linux, Documentation/arch/arm64/booting.rst), relocation to wherever
// the loader put the image, known values in the control registers, cleared bss, a stack. Everything here runs with the MMU off and
// uses only general registers. x0 is the device tree or 0; the other CPUs stay off until PSCI CPU_ON.

    .section .head.text, "ax"
    .global sel4vm_el2_head
sel4vm_el2_head:
    b       start
    .ascii  "s4vm"                  // code1, never executed: the tool tells images of this host from kernels by it
    .quad   0                       // text_offset: any 2 MiB-aligned address
    .quad   __image_end - . + 16    // image_size: memory, bss included; larger in a file with a bundle appended
    .quad   0xa                     // little-endian, 4 KiB pages, anywhere in memory
    .quad   0
    .quad   0
    .quad   0
    .ascii  "ARM\x64"
    .long   0

    .text
start:
    msr     daifset, #0xf
    mov     x19, x0

    // R_AARCH64_RELATIVE: *(place + delta) = addend + delta.
    adrp    x20, sel4vm_el2_head
    add     x20, x20, :lo12:sel4vm_el2_head
    ldr     x1, link_base
    sub     x21, x20, x1            // delta
    adrp    x2, __rela_start
    add     x2, x2, :lo12:__rela_start
    adrp    x3, __rela_end
    add     x3, x3, :lo12:__rela_end
1:  cmp     x2, x3
    b.hs    2f
    ldp     x4, x5, [x2], #16       // place, kind
    ldr     x6, [x2], #8            // addend
    cmp     w5, #1027               // R_AARCH64_RELATIVE; the linker makes no other kind
    b.ne    stop
    add     x6, x6, x21
    str     x6, [x4, x21]
    b       1b

2:  mrs     x0, CurrentEL
    cmp     x0, #(2 << 2)
    b.eq    at_el2
    cmp     x0, #(1 << 2)
    b.ne    stop                    // EL3: no protocol starts an image there

    // EL1: just enough to say that this is the wrong place.
    ldr     x0, sctlr_el1_value
    msr     sctlr_el1, x0
    mov     x0, #(3 << 20)          // CPACR_EL1.FPEN
    msr     cpacr_el1, x0
    adrp    x0, sel4vm_el2_boot_vectors
    add     x0, x0, :lo12:sel4vm_el2_boot_vectors
    msr     vbar_el1, x0
    b       3f

at_el2:
    mov     x0, #(1 << 31)          // HCR_EL2: RW, and E2H clear before the registers that it changes
    msr     hcr_el2, x0
    isb
    ldr     x0, sctlr_el2_value
    msr     sctlr_el2, x0
    ldr     x0, cptr_el2_value
    msr     cptr_el2, x0
    adrp    x0, sel4vm_el2_boot_vectors
    add     x0, x0, :lo12:sel4vm_el2_boot_vectors
    msr     vbar_el2, x0
3:  isb

    adrp    x1, __bss_start
    add     x1, x1, :lo12:__bss_start
    adrp    x2, __bss_end
    add     x2, x2, :lo12:__bss_end
4:  cmp     x1, x2
    b.hs    5f
    stp     xzr, xzr, [x1], #16
    stp     xzr, xzr, [x1], #16
    b       4b

5:  msr     spsel, #1
    adrp    x0, __stack_top
    add     x0, x0, :lo12:__stack_top
    mov     sp, x0
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x19
    bl      sel4vm_el2_start
stop:
    wfi
    b       stop

    .balign 8
link_base:
    .quad   SEL4VM_EL2_LINK_BASE
sctlr_el1_value:
    .quad   0x30d00800              // RES1 bits; MMU and caches off
sctlr_el2_value:
    .quad   0x30c50830
cptr_el2_value:
    .quad   0x33ff                  // RES1 bits; FP is not trapped, SVE and SME are
