// SPDX-License-Identifier: BSD-2-Clause
//
// Exceptions that the host takes from itself. They end in a panic, so nothing is ever restored: the guest-visible thread registers serve as
// scratch, and the report has a stack of its own on each CPU, since an overflowing stack may be the reason. The vCPU half has its own table and
// branches to sel4vm_el2_host_fault_<n> for the vectors that are not its business.

#define FRAME_BYTES 288
#define CPU_PANIC_STACK_TOP 40      // struct CpuLocal

    .macro  fault_entry index
    .global sel4vm_el2_host_fault_\index
sel4vm_el2_host_fault_\index:
    msr     tpidrro_el0, x0
    mov     x0, #\index
    b       save_and_report
    .endm

    .macro  vector index
    .balign 0x80
    b       sel4vm_el2_host_fault_\index
    .endm

    .section .vectors, "ax"
    .balign 0x800
    .global sel4vm_el2_boot_vectors
sel4vm_el2_boot_vectors:
    .irp    index, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vector  \index
    .endr

    .text
    .irp    index, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    fault_entry \index
    .endr

// x0 is the vector; its own value waits in TPIDRRO_EL0. The frame is struct HostExceptionFrame.
save_and_report:
    msr     daifset, #0xf
    msr     tpidr_el0, x1
    mov     x1, sp
    msr     sp_el0, x1
    adrp    x1, __panic_stack_top
    add     x1, x1, :lo12:__panic_stack_top
    mov     sp, x1
    mrs     x1, CurrentEL
    cmp     x1, #(2 << 2)
    b.ne    1f
    mrs     x1, tpidr_el2
    cbz     x1, 1f                  // not yet: this is the boot CPU
    ldr     x1, [x1, #CPU_PANIC_STACK_TOP]
    mov     sp, x1
1:  sub     sp, sp, #FRAME_BYTES
    mrs     x1, tpidr_el0
    stp     x1, x2, [sp, #8]
    stp     x3, x4, [sp, #24]
    stp     x5, x6, [sp, #40]
    stp     x7, x8, [sp, #56]
    stp     x9, x10, [sp, #72]
    stp     x11, x12, [sp, #88]
    stp     x13, x14, [sp, #104]
    stp     x15, x16, [sp, #120]
    stp     x17, x18, [sp, #136]
    stp     x19, x20, [sp, #152]
    stp     x21, x22, [sp, #168]
    stp     x23, x24, [sp, #184]
    stp     x25, x26, [sp, #200]
    stp     x27, x28, [sp, #216]
    stp     x29, x30, [sp, #232]
    mrs     x1, tpidrro_el0
    str     x1, [sp]
    mrs     x1, sp_el0
    str     x1, [sp, #248]          // sp
    mrs     x1, CurrentEL
    cmp     x1, #(2 << 2)
    b.eq    1f
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    mrs     x4, esr_el1
    mrs     x5, far_el1
    b       2f
1:  mrs     x2, elr_el2
    mrs     x3, spsr_el2
    mrs     x4, esr_el2
    mrs     x5, far_el2
2:  stp     x2, x3, [sp, #256]
    stp     x4, x5, [sp, #272]
    mov     x1, x0
    mov     x0, sp
    mov     x29, xzr
    bl      sel4vm_el2_host_exception
3:  wfi
    b       3b
