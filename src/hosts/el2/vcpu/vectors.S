// SPDX-License-Identifier: BSD-2-Clause
//
// The EL2 exception vectors while vCPUs run. From a guest: SP_EL2 is its GuestContext (context.hpp); save everything, put
// the host's stack back and go on in the run loop. From EL2 itself: a device's error in an access for a guest (forwarded_access.S), or a bug of
// ours, which the platform reports.

#define CTX_X30    240
#define CTX_PSTATE 256
#define CTX_HOST   272

    .macro from_guest kind
    .balign 0x80
    stp     x0, x1, [sp, #0]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    mrs     x1, elr_el2
    mrs     x2, spsr_el2
    .if \kind == 0
    mrs     x0, esr_el2
    .else
    mov     x0, #-\kind
    .endif
    stp     x30, x1, [sp, #CTX_X30]
    stp     x2, x0, [sp, #CTX_PSTATE]
    ldp     x3, x4, [sp, #CTX_HOST]
    mov     sp, x3
    br      x4
    .endm

    .macro from_host number
    .balign 0x80
    b       sel4vm_el2_host_fault_\number   // boot/vectors.S
    .endm

    .macro from_forwarded what
    .balign 0x80
    b       sel4vm_el2_forwarded_\what
    .endm

    .section .vectors, "ax"
    .global sel4vm_el2_guest_vectors
    .balign 0x800
sel4vm_el2_guest_vectors:
    from_forwarded abort    // on SP_EL0
    from_host 1
    from_host 2
    from_forwarded serror
    from_host 4
    from_host 5
    from_host 6
    from_host 7
    from_guest 0            // synchronous, from AArch64
    from_guest 1            // IRQ
    from_guest 2            // FIQ
    from_guest 3            // SError
    from_guest 0            // an AArch32 EL1, which no guest has; AArch32 EL0 below AArch64 comes as the above
    from_guest 1
    from_guest 2
    from_guest 3
