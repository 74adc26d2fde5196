// SPDX-License-Identifier: BSD-2-Clause
//
// Clearing memory at one instruction for 64 bytes. The V registers may be a guest's: those that are used are put back.
    .arch   armv8-a
    .text

// sel4vm_el2_clear_simd(base, size): base 64-byte aligned, size a positive multiple of 1 KiB. FP must not be trapped.
    .global sel4vm_el2_clear_simd
sel4vm_el2_clear_simd:
    sub     sp, sp, #64
    st1     {v0.16b-v3.16b}, [sp]
    movi    v0.16b, #0
    movi    v1.16b, #0
    movi    v2.16b, #0
    movi    v3.16b, #0
    lsr     x1, x1, #10
1:  .rept   16
    st1     {v0.16b-v3.16b}, [x0], #64
    .endr
    subs    x1, x1, #1
    b.ne    1b
    ld1     {v0.16b-v3.16b}, [sp]
    add     sp, sp, #64
    ret

// sel4vm_el2_clear_zva(base, size, block): base and size are multiples of the DC ZVA block.
    .global sel4vm_el2_clear_zva
sel4vm_el2_clear_zva:
    add     x1, x0, x1
1:  cmp     x0, x1
    b.hs    2f
    dc      zva, x0
    add     x0, x0, x2
    b       1b
2:  ret
