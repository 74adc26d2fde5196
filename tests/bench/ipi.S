// SPDX-License-Identifier: BSD-2-Clause
//
// What an interrupt from one vCPU to another costs, each on a CPU of its own: ticks of the virtual counter from before the sender's write to
// the start of the receiver's handler, with the instructions of both CPUs in between (they share QEMU's count). The receiver spins, and then sleeps.
#include "guest.h"

#define ROUNDS 1000
#define SGI    1

    .globl main, irq_handler

main:
    str x30, [sp, #-16]!
    bl gic_init
    adrp x20, arrived
    add x20, x20, :lo12:arrived
    ldr x0, =PSCI_CPU_ON_64
    mov x1, #1
    adr x2, receiver
    mov x3, #0
    hvc #0
    CHECK(x0, 0)
    adr x1, 1f
    bl measure
    mov w0, #1
    str w0, [x20, #16]               // from now on the receiver sleeps
    adr x1, 2f
    bl measure
    ldr x30, [sp], #16
    ret
1:  .asciz "ipi"
2:  .asciz "ipi_wfi"
    .balign 4

// x1: the name
measure:
    stp x30, x1, [sp, #-16]!
    mov x24, #0
    ldr x19, =ROUNDS
1:  mov x0, #2000                    // until it is there again, and asleep
2:  yield
    subs x0, x0, #1
    b.ne 2b
    str xzr, [x20]
    dsb sy
    isb
    mrs x22, cntvct_el0
    bl send
3:  yield
    ldr x0, [x20]
    cbz x0, 3b
    sub x0, x0, x22
    add x24, x24, x0
    subs x19, x19, #1
    b.ne 1b
    adr x0, text_bench
    bl print
    ldr x0, [sp, #8]
    bl print
    mov w0, #' '
    bl put_char
    mov x0, x24
    bl print_decimal
    mov w0, #' '
    bl put_char
    ldr x0, =ROUNDS
    bl print_decimal
    bl print_newline
    ldp x30, x1, [sp], #16
    ret
text_bench: .asciz "bench: "
    .balign 4

// To vCPU 1
send:
    adrp x1, gic_is_v3
    ldr w1, [x1, :lo12:gic_is_v3]
    cbz w1, 1f
    ldr x0, =(SGI << 24 | 2)
    msr s3_0_c12_c11_5, x0           // ICC_SGI1R_EL1
    isb
    ret
1:  ldr x1, =GICD_BASE
    ldr w0, =(2 << 16 | SGI)
    str w0, [x1, #0xf00]
    ret
    .ltorg

receiver:
    adrp x1, receiver_stack
    add x1, x1, :lo12:receiver_stack
    mov sp, x1
    adrp x1, vectors
    add x1, x1, :lo12:vectors
    msr vbar_el1, x1
    bl gic_cpu_init
    mov w0, #SGI
    bl irq_enable
    adrp x20, arrived
    add x20, x20, :lo12:arrived
    msr daifclr, #2
1:  yield
    ldr w0, [x20, #16]
    cbz w0, 1b
    wfi
    b 1b

irq_handler:
    adrp x0, arrived
    str x1, [x0, :lo12:arrived]
    ret

    .bss
    .balign 64
arrived: .skip 64
    .balign 16
    .skip 1024
receiver_stack: .skip 16
