// SPDX-License-Identifier: BSD-2-Clause
//
// Loads and stores that a guest's access is carried out by, at the registers of a device that may answer with an error. They run on SP_EL0 (which
// nothing is stored by), so that what EL2 takes from them comes to vectors of its own: an error is told to the caller, and no register of a guest
// is needed to find that out. Everything else that comes there is a bug of ours.
    .arch   armv8-a

#define DATA_ABORT_SAME_EL 0x25
#define EXTERNAL_ABORT     0x10     // DFSC; 0x18 is a parity or ECC error
#define PARITY_BIT         0x08

// What the access has caused is there before the CPU goes on: an SError, too, which is taken here if it is pending. One that was pending before counts as
// of this access.
    .macro  wait_for_error
    dsb     sy
    msr     daifclr, #4
    isb
    msr     daifset, #4
    .endm

// x0: where, x1: how many bytes. Returns struct ForwardedRead: x0 the value, x1 not 0 when there is none.
    .section .text.sel4vm_el2_forwarded, "ax"
    .global sel4vm_el2_forwarded_read, sel4vm_el2_forwarded_write
    .balign 4
sel4vm_el2_forwarded_read:
    msr     spsel, #0
forwarded_first:
    tbnz    x1, #0, 1f
    tbnz    x1, #1, 2f
    tbnz    x1, #2, 4f
    ldr     x0, [x0]
    b       5f
1:  ldrb    w0, [x0]
    b       5f
2:  ldrh    w0, [x0]
    b       5f
4:  ldr     w0, [x0]
5:  wait_for_error
    msr     spsel, #1
    mov     x1, #0
    ret

// x0: where, x1: how many bytes, x2: what. Returns struct ForwardedRead, its value means nothing.
sel4vm_el2_forwarded_write:
    msr     spsel, #0
    tbnz    x1, #0, 1f
    tbnz    x1, #1, 2f
    tbnz    x1, #2, 4f
    str     x2, [x0]
    b       5f
1:  strb    w2, [x0]
    b       5f
2:  strh    w2, [x0]
    b       5f
4:  str     w2, [x0]
5:  wait_for_error
forwarded_last:
    msr     spsel, #1
    mov     x1, #0
    ret

// Vectors of EL2 with SP_EL0. x16 and x17 are free in the functions above, and x30 is still where they return to. SP is SP_EL2 again, and all
// exceptions are masked, as when a guest's exit is handled.
    .global sel4vm_el2_forwarded_abort, sel4vm_el2_forwarded_serror
sel4vm_el2_forwarded_abort:
    mrs     x16, esr_el2
    lsr     x17, x16, #26
    cmp     x17, #DATA_ABORT_SAME_EL
    b.ne    sel4vm_el2_host_fault_0
    and     x17, x16, #0x3f
    and     x17, x17, #~PARITY_BIT
    cmp     x17, #EXTERNAL_ABORT
    b.ne    sel4vm_el2_host_fault_0
    mov     x1, #0
    b       failed
sel4vm_el2_forwarded_serror:
    mov     x1, #3
failed:
    mrs     x16, elr_el2
    adr     x17, forwarded_first
    cmp     x16, x17
    b.lo    bug
    adr     x17, forwarded_last
    cmp     x16, x17
    b.hs    bug
    mov     x1, #1
    ret
bug:
    cbz     x1, sel4vm_el2_host_fault_0
    b       sel4vm_el2_host_fault_3
