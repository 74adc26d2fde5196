// SPDX-License-Identifier: BSD-2-Clause
//
// The guest of registers_test.py: looks at every system register that an instruction can name (op0 2 and 3: 32,768 of them), at EL1 and at
// EL0, and at the general and SIMD registers and PSTATE. What it prints:
//   reads ID VALUE        found at the start, before anything was written; ID as in arch/aarch64/sysreg.hpp
//   holds ID BITS         these bits kept what was written
//   changed ID WAS NOW    a value that was not the same after others had run
//   start ID FIRST OTHER  what the second vCPU found at its start, where it differs from what the first one found
// PART says what it does (-DPART=name), SEED makes its patterns differ from those of other VMs.
// What cannot be written here, since the guest could not go on, has a test of its own: `windows`.
#include "registers.h"

    .globl find_all, rounds, pattern, compare, prepare
    .globl main
main:
    str x30, [sp, #-16]!
    adrp x28, data
    add x28, x28, :lo12:data
    bl prepare
    bl PART
    ldr x30, [sp], #16
    ret

// Every trap of EL1 for itself and for EL0 is off, so that what is denied is denied by somebody else.
prepare:
    adr x0, denied_vectors
    msr vbar_el1, x0
    ldr x0, =0x03330000            // CPACR_EL1: SMEN, FPEN, ZEN
    msr cpacr_el1, x0
    mov x0, #0x303                 // CNTKCTL_EL1: counters and timers
    msr cntkctl_el1, x0
    ldr x1, =(1 << 60 | 1 << 26 | 1 << 18 | 1 << 16 | 1 << 15 | 1 << 14 | 1 << 9)
    mrs x0, sctlr_el1
    orr x0, x0, x1                 // EnTP2, UCI, nTWE, nTWI, UCT, DZE, UMA
    bic x0, x0, #(1 << 20)         // TSCXT
    msr sctlr_el1, x0
    isb
    ret

// -- parts ----------------------------------------------------------------------------------------------------------
state:
    str x30, [sp, #-16]!
    bl find_all
    bl show_found
    ldr x30, [sp], #16
    ret

// Boots, and boots, and boots: each time it shows what it finds and leaves something in every register.
boots:
    bl find_all
    bl show_found
    mov x19, #0
    mov x26, #0
    bl write_all
    ldr w0, =PSCI_SYSTEM_RESET
    hvc #0
    b .

// Beside others: none of what this one writes may be changed by anybody.
share:
    str x30, [sp, #-16]!
    bl find_all
    bl show_found
    bl rounds
    bl show_holds
    bl show_findings
    ldr x30, [sp], #16
    ret

// The same on two vCPUs; the second one is turned off and on again.
pair:
    str x30, [sp, #-16]!
    bl find_all
    bl show_found
    mov x19, #0
    mov x26, #0
    bl write_all                   // so that there is something to be found
    bl start_second
    bl rounds
    bl wait_for_second
    bl show_start
    bl start_second
    bl rounds
    bl wait_for_second
    bl show_start
    bl show_findings
    adrp x28, data + PER_VCPU
    add x28, x28, :lo12:(data + PER_VCPU)
    bl show_findings
    ldr x30, [sp], #16
    ret

start_second:
    adrp x1, second_is_done
    str xzr, [x1, :lo12:second_is_done]
    ldr w0, =PSCI_CPU_ON_64
    mov x1, #1
    adr x2, second
    mov x3, #0
    hvc #0
    CHECK(x0, 0)
    ret
second:
    adrp x28, data + PER_VCPU
    add x28, x28, :lo12:(data + PER_VCPU)
    ldr x0, =(MY_STACK + 4096)
    add sp, x28, x0
    bl prepare
    bl find_all
    bl rounds
    adrp x1, second_is_done
    mov x0, #1
    str x0, [x1, :lo12:second_is_done]
    ldr w0, =PSCI_CPU_OFF
    hvc #0
    b .
wait_for_second:
    adrp x1, second_is_done
1:  ldr x0, [x1, :lo12:second_is_done]
    cbz x0, 1b
2:  ldr w0, =PSCI_AFFINITY_INFO
    mov x1, #1
    mov x2, #0
    hvc #0
    cmp x0, #1                     // off
    b.ne 2b
    ret

// -- all registers --------------------------------------------------------------------------------------------------
read_register:
    adrp x1, readers
    add x1, x1, :lo12:readers
    b run_stub
write_register:
    adrp x1, writers
    add x1, x1, :lo12:writers
run_stub:
    sub w2, w20, #(FIRST >> 12), lsl #12
    add x1, x1, x2, lsl #3
    mov x25, x30
    mov x27, #0
    cbnz x26, 1f
    blr x1
    ret x25
1:  msr elr_el1, x1
    mov x2, #0x3c0
    msr spsr_el1, x2
    adr x30, 2f
    eret
2:  svc #0

find_all:
    str x30, [sp, #-16]!
    mov x26, #0
    mov w20, #FIRST
1:  bl read_register
    slot x1, READABLE
    cmp x27, #0
    cset x3, eq
    str x3, [x1]
    cmp x27, #0
    csel x0, x0, xzr, eq
    slot x1, FOUND
    str x0, [x1]
    each_id 1b
    ldr x30, [sp], #16
    ret

rounds:
    str x30, [sp, #-16]!
    mov x26, #0
    mov x19, #0
1:  cmp x19, #EL0_FROM
    b.ne 2f
    msr mdscr_el1, xzr             // no single step at EL0
    bl prepare
    mov x26, #1
2:  bl write_all
    bl remember_all
    bl let_others_run
    bl compare_all
    mov x26, #0
    bl windows
    bl general_registers
    cmp x19, #EL0_FROM
    cset x26, hs
    add x19, x19, #1
    cmp x19, #ROUNDS
    b.lo 1b
    ldr x30, [sp], #16
    ret

// x0: what register x20 gets in round x19. Two rounds in eight are all ones and all zeros.
pattern:
    ldr x0, =(SEED * 0x9e3779b97f4a7c15)
    add x1, x20, x19, lsl #32
    mrs x2, mpidr_el1
    add x1, x1, x2, lsl #16
    mul x1, x1, x0
    eor x1, x1, x1, lsr #31
    ldr x0, =0xbf58476d1ce4e5b9
    mul x1, x1, x0
    eor x0, x1, x1, lsr #29
    and x1, x19, #7
    cmp x1, #2
    csinv x0, x0, xzr, ne
    cmp x1, #5
    csel x0, x0, xzr, ne
    ret

write_all:
    str x30, [sp, #-16]!
    mov w20, #FIRST
1:  listed x1, excluded
    cbnz w2, 3f
    cbz x19, 2f                    // the first time at each level: all that there are
    cmp x19, #EL0_FROM
    b.eq 2f
    slot x1, WRITABLE
    ldr x0, [x1]
    lsr x0, x0, x26
    tbz x0, #0, 3f
2:  bl pattern
    bl write_register
    cbnz x27, 3f
    slot x1, WRITABLE
    ldr x0, [x1]
    mov x2, #1
    lsl x2, x2, x26
    orr x0, x0, x2
    str x0, [x1]
3:  each_id 1b
    ldr x30, [sp], #16
    ret

remember_all:
    str x30, [sp, #-16]!
    mov w20, #FIRST
1:  slot x1, READABLE
    ldr x0, [x1]
    cbz x0, 2f
    bl read_register
    cbnz x27, 2f
    slot x1, MINE
    ldr x3, [x1]
    str x0, [x1]
    cbz x19, 2f
    eor x3, x3, x0
    slot x1, HELD
    ldr x0, [x1]
    orr x0, x0, x3
    str x0, [x1]
2:  each_id 1b
    ldr x30, [sp], #16
    ret

compare_all:
    str x30, [sp, #-16]!
    mov w20, #FIRST
1:  slot x1, READABLE
    ldr x0, [x1]
    cbz x0, 2f
    listed x1, changing
    cbnz w2, 2f
    bl read_register
    cbnz x27, 2f
    slot x1, MINE
    ldr x21, [x1]
    bl compare
2:  each_id 1b
    ldr x30, [sp], #16
    ret

// x20: what, x21: what it was, x0: what it is. Keeps x0-x15.
compare:
    cmp x0, x21
    b.eq 1f
    ldr x16, [x28, #FINDINGS]
    add x17, x16, #1
    str x17, [x28, #FINDINGS]
    cmp x16, #RECORDS
    b.hs 1f
    mov x17, #24
    madd x16, x16, x17, x28
    add x16, x16, #KEPT
    stp x20, x21, [x16]
    str x0, [x16, #16]
1:  ret

// Spins until somebody else has had the CPU often enough: a time slice of theirs is a jump of the counter here. How often
// differs from round to round and from guest to guest, so that they do not go in step.
let_others_run:
    mov x6, #(8 + SEED * 2)
    and x7, x19, #7
    add x6, x6, x7, lsl #1
    ldr x7, =10000000              // but not for ever, if there is nobody
    mrs x3, cntvct_el0
1:  isb
    mrs x4, cntvct_el0
    sub x5, x4, x3
    mov x3, x4
    cmp x5, #1000
    b.lo 2f
    ldr x5, [x28, #YIELDS]
    add x5, x5, #1
    str x5, [x28, #YIELDS]
    subs x6, x6, #1
    b.eq 3f
2:  subs x7, x7, #1
    b.ne 1b
3:  ret
