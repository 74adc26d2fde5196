// SPDX-License-Identifier: BSD-2-Clause
//
// The smoke test's guest: one position-independent program, copied to the start of guest RAM and entered there with the
// MMU off. x0: which part to run (the high half is the GIC version). It tells results with `hvc #1`: x0 = 1, x1 = id, x2 = value.
// Device page at 0x0a000000: a read gives (0x8182838485868788 + offset) cut to the width; writes are logged by the host.

#define DEVICE   0x0a000000
#define UNMAPPED 0x0b000000
#define GICC     0x08010000
#define TIMER_INTID 27

    .macro tell id, value
    mov     x2, \value
    mov     x1, #\id
    mov     x0, #1
    hvc     #1
    .endm

    .section .rodata.el2_smoke_guest, "a"
    .arch   armv8-a
    .global el2_smoke_guest, el2_smoke_guest_end
    .balign 4096
el2_smoke_guest:
    mov     x27, x0
    adr     x1, guest_vectors
    msr     vbar_el1, x1
    adr     x1, guest_stack
    mov     sp, x1
    mov     x1, #(3 << 20)
    msr     cpacr_el1, x1
    isb
    and     x0, x27, #0xff
    cmp     x0, #1
    b.eq    spinner
    cmp     x0, #2
    b.eq    waker
    cmp     x0, #3
    b.eq    sleeper
    cmp     x0, #4
    b.eq    lost

// ---------------------------------------------------------------- costs
    mov     x21, #0
    .macro measure id, count, code:vararg
    isb
    mov     x20, #\count
    mrs     x19, cntvct_el0
1:  \code
    subs    x20, x20, #1
    b.ne    1b
    mrs     x1, cntvct_el0
    sub     x1, x1, x19
    tell    \id, x1
    .endm
    movz    x26, #(DEVICE >> 16), lsl #16
    measure 100, 4096, hvc #2
    measure 101, 4096, ldr w0, [x26]
    measure 102, 4096, str w0, [x26]
    measure 103, 4096, ldr x28, [x26]
    measure 104, 4096, mrs x0, id_aa64pfr0_el1
    measure 105, 4096, ldp x0, x1, [x26]
    measure 106, 4096, nop

// ---------------------------------------------------------------- loads and stores with a syndrome
    ldr     x1, [x26, #8]
    tell    1, x1
    ldr     w1, [x26, #4]
    tell    2, x1
    ldrsb   x1, [x26, #1]
    tell    3, x1
    ldrsh   w1, [x26, #2]
    tell    4, x1
    ldrb    w1, [x26, #3]
    tell    5, x1
    ldr     xzr, [x26]
    tell    6, xzr
    mov     x1, #0x1122
    movk    x1, #0x3344, lsl #16
    strb    w1, [x26, #0x10]
    strh    w1, [x26, #0x12]
    str     w1, [x26, #0x14]
    str     x1, [x26, #0x18]
    str     xzr, [x26, #0x20]

// ---------------------------------------------------------------- and without
    ldp     x3, x4, [x26, #0x20]
    tell    10, x3
    tell    11, x4
    mov     x5, x26
    ldr     w6, [x5], #4
    tell    12, x6
    sub     x5, x5, x26
    tell    13, x5
    ldr     q3, [x26, #0x40]
    mov     x3, v3.d[0]
    tell    14, x3
    mov     x3, v3.d[1]
    tell    15, x3
    mov     x1, #5
    mov     x2, #6
    stp     x1, x2, [x26, #0x30]
    fmov    d1, #1.0
    str     d1, [x26, #0x48]
    ldpsw   x3, x4, [x26]
    tell    16, x3
    tell    17, x4
    dc      cvac, x26
    dc      civac, x26
    dc      csw, xzr                    // done by the host
    tell    18, xzr

// ---------------------------------------------------------------- faults
    movz    x25, #(UNMAPPED >> 16), lsl #16
    bl      expect_fault
    ldr     x1, [x25, #0x18]            // unmapped: external abort
    tell    20, x22                     // ESR
    tell    21, x23                     // FAR
    tell    22, x24                     // SPSR
    bl      expect_fault
    mrs     x1, s3_0_c11_c5_1           // no such register
    tell    23, x22
    bl      expect_fault
    .inst   0x9ac23020                  // PACGA: a guest has no pointer authentication
    tell    24, x22
    bl      expect_fault
    ldxr    x1, [x26]
    tell    25, x22
    bl      expect_fault
    blr     x25                         // fetch from nowhere
    tell    26, x22
    tell    27, x23
    mrs     x1, mpidr_el1
    tell    28, x1
    mrs     x1, cntpct_el0              // trapped; the host answers 0x1234
    tell    29, x1
    smc     #7
    tell    31, x0

// ---------------------------------------------------------------- AArch32 at EL0
    mrs     x0, id_aa64pfr0_el1
    and     x0, x0, #0xf
    cmp     x0, #2
    b.ne    no_aarch32
    msr     tpidr_el1, x27              // AArch32 loses the upper halves
    mov     x0, x26
    mov     x1, #0
    mov     x2, #0
    mov     x3, #0
    mov     x4, #0
    adr     x5, code32
    msr     elr_el1, x5
    mov     x5, #0x1d0                  // User, interrupts masked
    msr     spsr_el1, x5
    adr     x17, after_code32
    eret
after_code32:
    mov     x5, x2
    tell    32, x22                     // SVC
    mov     x0, x26
    tell    34, x5
    mov     x0, x26
    adr     x5, code_thumb
    msr     elr_el1, x5
    mov     x5, #0x1f0
    msr     spsr_el1, x5
    adr     x17, after_thumb
    eret
after_thumb:
    tell    35, x3
    tell    36, x4
    mrs     x27, tpidr_el1
no_aarch32:

// ---------------------------------------------------------------- SIMD registers over every kind of exit
    bl      fill_simd
    hvc     #2
    ldr     w0, [x26]
    ldp     x0, x1, [x26]
    mrs     x0, id_aa64pfr0_el1
    smc     #7
    hvc     #3                          // the host touches SIMD registers of this vCPU
    bl      check_simd
    tell    40, x0

// ---------------------------------------------------------------- virtual timer
    bl      gic_on
    tell    50, xzr
    mov     x21, #0
    mov     x19, #20
2:  mrs     x1, cntvct_el0
    add     x1, x1, #2000
    msr     cntv_cval_el0, x1
    mov     x1, #1
    msr     cntv_ctl_el0, x1
    isb
    mov     x20, x21
3:  wfi
    msr     daifclr, #2
    isb
    msr     daifset, #2
    cmp     x20, x21
    b.eq    3b
    cmp     x21, x19
    b.lo    2b
    tell    51, x21
    bl      check_simd
    tell    41, x0

// ---------------------------------------------------------------- against a spinning vCPU of another VM
    hvc     #4                          // the host lets the others run
    mov     x19, #60
    mov     x21, #0
4:  mrs     x1, cntvct_el0
    mov     x2, #31250                  // half a millisecond at 62.5 MHz
    add     x1, x1, x2
    msr     cntv_cval_el0, x1
    mov     x1, #1
    msr     cntv_ctl_el0, x1
    isb
    mov     x20, x21
5:  wfi
    msr     daifclr, #2
    isb
    msr     daifset, #2
    cmp     x20, x21
    b.eq    5b
    cmp     x21, x19
    b.lo    4b
    tell    52, x21
    mrs     x19, cntvct_el0             // busy for 100 ms, to be preempted
    movz    x18, #0x5f, lsl #16
6:  mrs     x1, cntvct_el0
    sub     x1, x1, x19
    cmp     x1, x18
    b.lo    6b
    bl      check_simd
    tell    42, x0
    mov     x0, #2
    hvc     #1
    b       .

// Another VM: all masked, changes every SIMD register for ever, and tells now and then that its own are right.
spinner:
    msr     daifset, #15
    mov     x20, #0
7:  bl      fill_simd
    movz    x19, #0x40, lsl #16
8:  subs    x19, x19, #1
    b.ne    8b
    bl      check_simd
    cbnz    x0, 9f
    add     x20, x20, #1
    tell    60, x20
    b       7b
9:  tell    61, x0
    b       .

// A vCPU that yields for ever: WFE must not cost the others anything.
waker:
    mov     x20, #0
    mov     x19, #500
10: wfe
    add     x20, x20, #1
    cmp     x20, x19
    b.ne    10b
    tell    62, x20
    b       waker

// A blocked vCPU whose timer must wake it although it is not loaded.
sleeper:
    bl      gic_on
    mov     x21, #0
11: mrs     x1, cntvct_el0
    mov     x2, #62500                  // 1 ms
    add     x1, x1, x2
    msr     cntv_cval_el0, x1
    mov     x1, #1
    msr     cntv_ctl_el0, x1
    isb
12: wfi
    msr     daifclr, #2
    isb
    msr     daifset, #2
    tell    63, x21
    b       11b

// A guest whose translation tables are nowhere: every fetch fails on the walk, for ever.
lost:
    movz    x0, #(UNMAPPED >> 16), lsl #16
    msr     ttbr0_el1, x0
    mov     x0, #25
    msr     tcr_el1, x0
    isb
    mrs     x0, sctlr_el1
    orr     x0, x0, #1
    msr     sctlr_el1, x0
    isb
    b       lost

code32:
    .word   0xe5901008                  // ldr   r1, [r0, #8]
    .word   0x11d020d1                  // ldrsbne r2, [r0, #1]
    .word   0xef000000                  // svc   #0
code_thumb:
    .hword  0xbf14                      // ite   ne
    .hword  0x6843                      // ldrne r3, [r0, #4]
    .hword  0x2405                      // moveq r4, #5
    .hword  0xdf00                      // svc   #0

// ---------------------------------------------------------------- helpers
gic_on:
    lsr     x1, x27, #32
    cmp     x1, #3
    b.eq    1f
    movz    x1, #(GICC >> 16), lsl #16
    movk    x1, #(GICC & 0xffff)
    mov     w2, #0xf0
    str     w2, [x1, #4]                // PMR
    mov     w2, #1
    str     w2, [x1]                    // CTLR
    ret
1:  mrs     x1, s3_0_c12_c12_5          // ICC_SRE_EL1: trapped, reads as 7
    mov     x1, #0xf0
    msr     s3_0_c4_c6_0, x1            // PMR
    mov     x1, #1
    msr     s3_0_c12_c12_6, x1          // IGRPEN0
    msr     s3_0_c12_c12_7, x1          // IGRPEN1
    isb
    ret

fill_simd:
    mov     x0, #0x100
    add     x0, x0, x27, lsl #32
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    add     x1, x0, #\n
    mov     v\n\().d[0], x1
    add     x1, x1, #0x200
    mov     v\n\().d[1], x1
    .endr
    mov     x1, #(3 << 22)
    msr     fpcr, x1
    mov     x1, #1
    msr     fpsr, x1
    ret

// x0: 0, or 1 + the number of the first wrong register (33: FPCR, 34: FPSR)
check_simd:
    mov     x3, #0x100
    add     x3, x3, x27, lsl #32
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    mov     x0, #(1 + \n)
    mov     x1, v\n\().d[0]
    add     x2, x3, #\n
    cmp     x1, x2
    b.ne    1f
    mov     x1, v\n\().d[1]
    add     x2, x2, #0x200
    cmp     x1, x2
    b.ne    1f
    .endr
    mov     x0, #33
    mrs     x1, fpcr
    mov     x2, #(3 << 22)
    cmp     x1, x2
    b.ne    1f
    mov     x0, #34
    mrs     x1, fpsr
    cmp     x1, #1
    b.ne    1f
    mov     x0, #0
1:  ret

// The next synchronous exception is expected: it goes on after the instruction behind this call, with ESR in x22, FAR in x23
// and SPSR in x24.
expect_fault:
    mov     x22, #0
    add     x17, x30, #4
    ret

    .balign 0x800
guest_vectors:
    .balign 0x80
    b       .
    .balign 0x80
    b       .
    .balign 0x80
    b       .
    .balign 0x80
    b       .
    .balign 0x80                        // EL1h synchronous
    mrs     x22, esr_el1
    mrs     x23, far_el1
    mrs     x24, spsr_el1
    msr     elr_el1, x17
    eret
    .balign 0x80                        // EL1h IRQ
    add     x21, x21, #1
    msr     cntv_ctl_el0, xzr
    lsr     x10, x27, #32
    cmp     x10, #3
    b.eq    1f
    movz    x10, #(GICC >> 16), lsl #16
    movk    x10, #(GICC & 0xffff)
    ldr     w11, [x10, #0xc]
    str     w11, [x10, #0x10]
    b       2f
1:  mrs     x11, s3_0_c12_c12_0         // IAR1
    msr     s3_0_c12_c12_1, x11         // EOIR1
2:  cmp     w11, #TIMER_INTID
    b.eq    3f
    mov     x21, #0x666
3:  eret
    .balign 0x80
    b       .
    .balign 0x80                        // EL1h SError
    mov     x21, #0x777
    eret
    .balign 0x80
    .balign 0x200
    .skip   0x200
    .balign 0x80                        // synchronous from AArch32
    mrs     x22, esr_el1
    br      x17
    .balign 0x800

    .balign 16
    .skip   1024
guest_stack:
    .balign 4096
el2_smoke_guest_end:
