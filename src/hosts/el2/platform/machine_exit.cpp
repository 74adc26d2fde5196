// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/platform/machine_exit.hpp>

#include <sel4vm/arch/aarch64/psci.hpp>

namespace sel4vm::el2 {
u64 firmware_call(PsciConduit conduit, u64 function, u64 x1, u64 x2, u64 x3) {
    register u64 r0 asm("x0") = function;
    register u64 r1 asm("x1") = x1;
    register u64 r2 asm("x2") = x2;
    register u64 r3 asm("x3") = x3;
    // SAFETY: SMCCC 1.0 preserves x18 to x30 and SP only, so everything else that a callee may change is named.
#define SEL4VM_FIRMWARE_CALL(instruction)                                                                      \
    asm volatile(instruction                                                                                   \
                 : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)                                                      \
                 :                                                                                             \
                 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", \
                   "memory")
    switch (conduit) {
    case PsciConduit::smc: SEL4VM_FIRMWARE_CALL("smc #0"); return r0;
    case PsciConduit::hvc: SEL4VM_FIRMWARE_CALL("hvc #0"); return r0;
    case PsciConduit::none: break;
    }
#undef SEL4VM_FIRMWARE_CALL
    return ~u64{0};
}

void system_off(PsciConduit conduit) {
    (void)firmware_call(conduit, aarch64::psci::kSystemOff);
    halt();
}

void semihosting_exit(u64 status) {
    constexpr u64 kExitExtended = 0x20;
    constexpr u64 kApplicationExit = 0x2'0026;
    const u64 block[2] = {kApplicationExit, status};
    register u64 r0 asm("x0") = kExitExtended;
    register const u64 *r1 asm("x1") = block;
    asm volatile("hlt #0xf000" : "+r"(r0) : "r"(r1) : "memory");
    halt();
}

void halt() {
    for (;;)
        asm volatile("msr daifset, #0xf\n\twfi" ::: "memory");
}

} // namespace sel4vm::el2
