// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/capi/syndrome.hpp>

#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>

#include <sel4vm/sel4_arch/processor.h>

namespace sel4vm::capi {

namespace {

constexpr u32 syndrome(u32 exception_class, u32 specific) {
    return exception_class << HSR_EXCEPTION_CLASS_SHIFT | HSR_IL_MASK | (specific & HSR_ISS_MASK);
}

u32 of_system_register(const SystemRegisterExit &exit) {
    using namespace aarch64;
    constexpr u32 kNoRegister = 31;
    const u32 specific = u32{sysreg_op0(exit.id)} << 20 | u32{sysreg_op2(exit.id)} << 17 |
                         u32{sysreg_op1(exit.id)} << 14 | u32{sysreg_crn(exit.id)} << 10 | kNoRegister << 5 |
                         u32{sysreg_crm(exit.id)} << 1 | (exit.write ? 0U : 1U);
    return syndrome(HSR_SYSREG_64_EXCEPTION, specific);
}

} // namespace

u32 syndrome_of(const Exit &exit) {
    switch (exit.kind) {
    case ExitKind::system_register: return of_system_register(exit.system_register);
    case ExitKind::hypercall:
        return syndrome(aarch64::conduit_of(exit.hypercall) == aarch64::Conduit::hvc ? HSR_HVC_64_EXCEPTION
                                                                                     : HSR_SMC_64_EXCEPTION,
                        aarch64::immediate_of(exit.hypercall));
    case ExitKind::wait: return syndrome(HSR_WFx_EXCEPTION, exit.wait.event ? 1 : 0);
    case ExitKind::debug: return syndrome(HSR_SWBRK_64_EXCEPTION, 0);
    case ExitKind::unknown: return syndrome(exit.unknown.reason, static_cast<u32>(exit.unknown.syndrome));
    default: return syndrome(HSR_UNKNOWN_EXCEPTION, 0);
    }
}

} // namespace sel4vm::capi
