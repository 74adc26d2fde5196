// SPDX-License-Identifier: BSD-2-Clause
//
// Four vCPUs, each of which asks every other one again and again by an SGI and waits for its answer, which is an SGI, too, while it answers
// the others. SGI n is a question of vCPU n, SGI 8 + n an answer of it. None may be lost, or somebody waits for ever, and none
// may come twice. They wait with WFI, or spinning, or some this way and some that.
// run: --vcpus 4
// cpus: 2 4
// variant: wfi -DWFI_CPUS=15
// variant: spin -DWFI_CPUS=0 -DROUNDS=40
// variant: mixed -DWFI_CPUS=5 -DROUNDS=40
#include "guest.h"
#ifdef EVERYTHING
#include "everything.h"
#else
#define everything_begins
#define everything_opens
#define everything_goes_on
#define everything_ends
#define everything_takes
#endif

#define CPUS   4
#ifndef ROUNDS
#define ROUNDS 400
#endif

    .globl main
main:
    str x30, [sp, #-16]!
    bl gic_init
    everything_begins
    mov x19, #1
1:  ldr x0, =PSCI_CPU_ON_64
    mov x1, x19
    adr x2, second
    mov x3, x19
    hvc #0
    CHECK(x0, 0)
    add x19, x19, #1
    cmp x19, #CPUS
    b.ne 1b
    mov x19, #0
    bl work
    // Everybody is done: each was asked, and answered, as often as it should be.
    adrp x21, counts
    add x21, x21, :lo12:counts
    mov x22, #0                      // whose row
2:  mov x23, #0                      // by whom
3:  cmp x22, x23
    b.eq 4f
    lsl x0, x22, #4
    add x0, x0, x23
    ldr w1, [x21, x0, lsl #2]
    CHECK(x1, ROUNDS)
    lsl x0, x22, #4
    add x0, x0, x23
    add x0, x0, #8
    ldr w1, [x21, x0, lsl #2]
    CHECK(x1, ROUNDS)
4:  add x23, x23, #1
    cmp x23, #CPUS
    b.ne 3b
    add x22, x22, #1
    cmp x22, #CPUS
    b.ne 2b
    ldr x30, [sp], #16
    ret

second:                              // x0: its number
    mov x19, x0
    adrp x1, stacks
    add x1, x1, :lo12:stacks
    add x1, x1, x19, lsl #9
    mov sp, x1
    bl gic_cpu_init
    bl work
    ldr w0, =PSCI_CPU_OFF
    hvc #0
    b .

// x19: the caller's number. Returns when it has asked all, and all have asked.
work:
    str x30, [sp, #-16]!
    mov x20, #0
1:  mov w0, w20
    bl irq_enable
    add w0, w20, #8
    bl irq_enable
    add w20, w20, #1
    cmp w20, #CPUS
    b.ne 1b
    adrp x21, counts
    add x21, x21, :lo12:counts
    add x22, x21, x19, lsl #6        // its own row: 16 counts, by INTID
    everything_opens
    // Nobody is asked before it is there.
    adrp x24, ready
    add x24, x24, :lo12:ready
2:  ldaxr w0, [x24]
    add w0, w0, #1
    stlxr w1, w0, [x24]
    cbnz w1, 2b
3:  ldar w0, [x24]
    cmp w0, #CPUS
    b.ne 3b

    mov x23, #1                      // the round
4:  mov x20, #0                      // whom
5:  cmp x20, x19
    b.eq 7f
    everything_goes_on
    mov x0, x19
    mov x1, x20
    bl send
6:  bl serve
    add x0, x20, #8
    ldr w1, [x22, x0, lsl #2]
    cmp w1, w23
    b.lo 6b
    b.hi twice
7:  add x20, x20, #1
    cmp x20, #CPUS
    b.ne 5b
    add x23, x23, #1
    cmp x23, #(ROUNDS + 1)
    b.ne 4b

    everything_ends
    // The others may not be done yet. A vCPU that is done wakes nobody, so this waits without WFI.
    add x24, x24, #64
8:  ldaxr w0, [x24]
    add w0, w0, #1
    stlxr w1, w0, [x24]
    cbnz w1, 8b
9:  bl serve_once
    ldar w0, [x24]
    cmp w0, #CPUS
    b.ne 9b
    ldr x30, [sp], #16
    ret
twice:
    mov x0, x1
    mov x1, x23
    mov x2, #__LINE__
    b guest_fail

// SGI x0 to the vCPU x1
send:
    dsb sy
    adrp x2, gic_is_v3
    ldr w2, [x2, :lo12:gic_is_v3]
    mov x3, #1
    lsl x3, x3, x1
    cbz w2, 1f
    orr x3, x3, x0, lsl #24
    msr s3_0_c12_c11_5, x3           // ICC_SGI1R_EL1
    isb
    ret
1:  orr x3, x0, x3, lsl #16
    ldr x2, =(GICD_BASE + 0xf00)
    str w3, [x2]
    ret

// Waits for an interrupt, as this vCPU waits, and takes what there is.
serve:
    mov x0, #WFI_CPUS
    lsr x0, x0, x19
    tbz x0, #0, 1f
    dsb sy
    wfi
1:
// Takes an interrupt, if there is one.
serve_once:
    str x30, [sp, #-16]!
    bl acknowledge
    and w25, w0, #0x3ff              // GICv2: with the sender above
    everything_takes
    cmp w25, #1020
    b.hs 2f
    ldr w1, [x22, x25, lsl #2]
    add w1, w1, #1
    str w1, [x22, x25, lsl #2]
    bl end
    tbnz w25, #3, 2f
    add x0, x19, #8                  // a question
    mov x1, x25
    bl send
2:  ldr x30, [sp], #16
    ret
acknowledge:
    adrp x2, gic_is_v3
    ldr w2, [x2, :lo12:gic_is_v3]
    cbz w2, 1f
    mrs x0, s3_0_c12_c12_0           // ICC_IAR1_EL1
    dsb sy
    ret
1:  ldr x2, =GICC_BASE
    ldr w0, [x2, #0xc]
    ret
end:
    adrp x2, gic_is_v3
    ldr w2, [x2, :lo12:gic_is_v3]
    cbz w2, 1f
    msr s3_0_c12_c12_1, x0           // ICC_EOIR1_EL1
    isb
    ret
1:  ldr x2, =GICC_BASE
    str w0, [x2, #0x10]
    ret
    .ltorg

    .bss
    .balign 64
counts: .skip CPUS * 64
ready:  .skip 128
    .balign 16
    .skip 512
stacks: .skip 512 * CPUS
