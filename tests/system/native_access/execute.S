// SPDX-License-Identifier: BSD-2-Clause
//
// The start of the bare-metal program and execute(Context *): loads every register from the context, runs the one
// instruction at its `code`, and stores every register back. The code ends with a branch to execute_done. An exception sets
// `faulted`. The layout of Context is in native_access.cpp.
    .arch armv8-a
    .equ STACK_POINTER, 248
    .equ VECTORS, 256
    .equ SAVED, 768
    .equ CODE, 1016
    .equ FAULTED, 1024

    .text
    .globl _start, execute, execute_done
_start:
    adrp x0, stack_top
    add x0, x0, :lo12:stack_top
    mov sp, x0
    mov x0, #(3 << 20)          // CPACR_EL1.FPEN
    msr cpacr_el1, x0
    adrp x0, exception_vectors
    add x0, x0, :lo12:exception_vectors
    msr vbar_el1, x0
    isb
    bl run_all
    movz x0, #0x8400, lsl #16   // PSCI SYSTEM_OFF
    movk x0, #8
    hvc #0
1:  wfi
    b 1b

    .macro general op
    \op x2, x3, [x0, #16]
    \op x4, x5, [x0, #32]
    \op x6, x7, [x0, #48]
    \op x8, x9, [x0, #64]
    \op x10, x11, [x0, #80]
    \op x12, x13, [x0, #96]
    \op x14, x15, [x0, #112]
    \op x16, x17, [x0, #128]
    \op x18, x19, [x0, #144]
    \op x20, x21, [x0, #160]
    \op x22, x23, [x0, #176]
    \op x24, x25, [x0, #192]
    \op x26, x27, [x0, #208]
    \op x28, x29, [x0, #224]
    .endm

    .macro vectors op
    add x1, x0, #VECTORS
    \op {v0.2d, v1.2d, v2.2d, v3.2d}, [x1], #64
    \op {v4.2d, v5.2d, v6.2d, v7.2d}, [x1], #64
    \op {v8.2d, v9.2d, v10.2d, v11.2d}, [x1], #64
    \op {v12.2d, v13.2d, v14.2d, v15.2d}, [x1], #64
    \op {v16.2d, v17.2d, v18.2d, v19.2d}, [x1], #64
    \op {v20.2d, v21.2d, v22.2d, v23.2d}, [x1], #64
    \op {v24.2d, v25.2d, v26.2d, v27.2d}, [x1], #64
    \op {v28.2d, v29.2d, v30.2d, v31.2d}, [x1], #64
    .endm

    .macro callee_saved op
    add x1, x0, #SAVED
    \op x19, x20, [x1]
    \op x21, x22, [x1, #16]
    \op x23, x24, [x1, #32]
    \op x25, x26, [x1, #48]
    \op x27, x28, [x1, #64]
    \op x29, x30, [x1, #80]
    .endm

execute:
    callee_saved stp
    mov x2, sp
    str x2, [x1, #96]
    msr tpidr_el1, x0
    str xzr, [x0, #FAULTED]
    vectors ld1
    ldr x1, [x0, #STACK_POINTER]
    mov sp, x1
    ldr x1, [x0, #CODE]
    msr elr_el1, x1             // an exception return jumps without needing a register
    mov x1, #0x3c5
    msr spsr_el1, x1
    general ldp
    ldr x30, [x0, #240]
    clrex
    ldp x0, x1, [x0]
    eret

execute_done:
    msr tpidr_el0, x0
    mrs x0, tpidr_el1
    str x1, [x0, #8]
    mrs x1, tpidr_el0
    str x1, [x0]
    general stp
    str x30, [x0, #240]
    mov x1, sp
    str x1, [x0, #STACK_POINTER]
    vectors st1
restore:
    callee_saved ldp
    ldr x2, [x1, #96]
    mov sp, x2
    ret

    .balign 2048
exception_vectors:
    .rept 16
    b exception
    .balign 128
    .endr
exception:
    mrs x0, tpidr_el1
    mov x1, #1
    str x1, [x0, #FAULTED]
    b restore

    .bss
    .balign 16
    .space 65536
stack_top:
