// SPDX-License-Identifier: BSD-2-Clause
//
// The first instructions of a CPU that the boot CPU has started by PSCI CPU_ON: x0 is the address of a SecondaryStart
// (secondary_cpu.hpp), which is in memory and in no cache. Takes over the boot CPU's translation at once, so nothing is read or
// written around caches but that.

    .text
    .global sel4vm_el2_secondary_entry
sel4vm_el2_secondary_entry:
    msr     daifset, #0xf
    mov     x1, #(1 << 31)          // HCR_EL2: RW, and E2H clear before the registers that it changes
    msr     hcr_el2, x1
    isb
    ldp     x1, x2, [x0]            // MAIR, TCR
    ldp     x3, x4, [x0, #16]       // TTBR0, SCTLR
    ldp     x6, x0, [x0, #32]       // stack, the argument
    mov     x5, #0x33ff             // as in entry.S
    msr     cptr_el2, x5
    adrp    x7, sel4vm_el2_boot_vectors
    add     x7, x7, :lo12:sel4vm_el2_boot_vectors
    msr     vbar_el2, x7
    msr     tpidr_el2, xzr
    tlbi    alle2
    ic      iallu
    dsb     nsh
    isb
    msr     mair_el2, x1
    msr     tcr_el2, x2
    msr     ttbr0_el2, x3
    isb
    msr     sctlr_el2, x4
    isb
    msr     spsel, #1
    mov     sp, x6
    mov     x29, xzr
    mov     x30, xzr
    bl      sel4vm_el2_secondary_main
1:  wfi
    b       1b
