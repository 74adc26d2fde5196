// SPDX-License-Identifier: BSD-2-Clause
//
// EOImode 1: the end of an interrupt drops the priority, deactivation is a write of its own, by the vCPU that acknowledged (SUB=1) or
// by the other one (SUB=2).
// run: --vcpus 2
// cpus: 2
// variant: same -DSUB=1
// variant: other -DSUB=2
#include "guest.h"
#include "gic.h"
#define SPI 40
    .globl main
main:
    str x30, [sp, #-16]!
    gic_begin
    bl cpu_split
    mov w10, #2
    mov x1, #SPI
    mov w2, #0x80
    bl spi_setup
    mov w0, #(1 << (SPI - 32))
    str w0, [x20, #0x204]
    bl ack
    CHECK(x0, SPI)
    bl drop
    ldr w0, [x20, #0x304]
    CHECK(x0, (1 << (SPI - 32)))
    // Active: pended again, it must not be delivered before the deactivation.
    mov w0, #(1 << (SPI - 32))
    str w0, [x20, #0x204]
    bl ack_once
    CHECK(x0, 1023)
#if SUB == 1
    mov x0, #SPI
    bl deactivate
#else
    ldr x0, =PSCI_CPU_ON_64
    mov x1, #1
    adr x2, second
    hvc #0
    CHECK(x0, 0)
    adrp x23, flag
    add x23, x23, :lo12:flag
4:  ldr w0, [x23]
    cbz w0, 4b
#endif
    bl ack                           // the second occurrence
    CHECK(x0, SPI)
    bl drop
    mov x0, #SPI
    bl deactivate
    ldr w0, [x20, #0x304]
    CHECK(x0, 0)
    ldr x30, [sp], #16
    ret

second:
    adrp x9, stack2
    add sp, x9, :lo12:stack2
    add sp, sp, #4096
    gic_begin_second
    bl cpu_split
    mov x0, #SPI
    bl deactivate
    adrp x23, flag
    add x23, x23, :lo12:flag
    mov w0, #1
    str w0, [x23]
    dsb sy
3:  wfi
    b 3b

cpu_split:
    cbz w19, 1f
    mov x0, #2
    msr s3_0_c12_c12_4, x0           // ICC_CTLR_EL1.EOImode
    isb
    ret
1:  ldr x1, =GICC_BASE
    mov w0, #0x201
    str w0, [x1]
    ret
drop:
    cbz w19, 1f
    msr s3_0_c12_c12_1, x0
    isb
    ret
1:  ldr x16, =GICC_BASE
    str w0, [x16, #0x10]
    ret
deactivate:
    cbz w19, 1f
    msr s3_0_c12_c11_1, x0           // ICC_DIR_EL1
    isb
    ret
1:  ldr x16, =(GICC_BASE + 0x1000)
    str w0, [x16]
    ret
    gic_helpers
    .bss
    .balign 4096
stack2: .skip 4096
flag: .skip 8
