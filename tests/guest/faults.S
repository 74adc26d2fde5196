// SPDX-License-Identifier: BSD-2-Clause
//
// A guest's mistakes come back as the exceptions that hardware raises, with syndrome and addresses, and the guest goes on.
#include "guest.h"

    .globl main
main:
    // A load from nowhere: data abort from the same EL, synchronous external abort, not a write.
    ldr x20, =(UNMAPPED + 0x18)
    expect 1f
0:  ldr w0, [x20]
    mov x2, #__LINE__
    b guest_fail
1:  seen x0, esr
    lsr x1, x0, #26
    CHECK(x1, 0x25)
    and x1, x0, #0x3f
    CHECK(x1, 0x10)
    ubfx x1, x0, #6, #1
    CHECK(x1, 0)
    seen x1, far
    CHECK_SAME(x1, x20)
    seen x1, elr
    adr x2, 0b
    CHECK_SAME(x1, x2)

    // A store there says so.
    expect 1f
    str w0, [x20]
    mov x2, #__LINE__
    b guest_fail
1:  seen x0, esr
    lsr x1, x0, #26
    CHECK(x1, 0x25)
    ubfx x1, x0, #6, #1
    CHECK(x1, 1)

    // A pair, which has no syndrome.
    expect 1f
    ldp x2, x3, [x20]
    mov x2, #__LINE__
    b guest_fail
1:  seen x0, esr
    lsr x1, x0, #26
    CHECK(x1, 0x25)
    seen x1, far
    CHECK_SAME(x1, x20)

    // A jump there: instruction abort. The link register brings us back if it were executed.
    expect 1f
    ldr x20, =UNMAPPED
    br x20
1:  seen x0, esr
    lsr x1, x0, #26
    CHECK(x1, 0x21)
    and x1, x0, #0x3f
    CHECK(x1, 0x10)
    seen x1, elr
    CHECK_SAME(x1, x20)

#ifndef NO_HYPERVISOR
    // A jump into a device.
    expect 1f
    mov x20, #UART_BASE
    br x20
1:  seen x0, esr
    lsr x1, x0, #26
    CHECK(x1, 0x21)
#endif

    // An unknown system register, and an instruction that does not exist.
    expect 1f
    mrs x0, s3_7_c15_c15_7
1:  seen x0, esr
    lsr x1, x0, #26
    CHECK(x1, 0)
    expect 1f
    .word 0
1:  seen x0, esr
    lsr x1, x0, #26
    CHECK(x1, 0)
    ret
