// SPDX-License-Identifier: BSD-2-Clause
//
// The register side of an SMC Calling Convention call (Arm DEN 0028): arguments without the upper halves that a 32-bit call
// ignores, and results, which are sign-extended so that -1 is -1 in w0 and in x0. Registers that a call does not define keep
// their values.
#pragma once

#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/smccc.hpp>
#include <sel4vm/vm/vcpu.hpp>

namespace sel4vm::dev {

class FirmwareCall {
public:
    FirmwareCall(Vcpu &vcpu, u32 function) : vcpu_(vcpu), function_(function) {}

    [[nodiscard]] Vcpu &vcpu() const { return vcpu_; }
    [[nodiscard]] u32 function() const { return function_; }

    /// Argument 1 to 6: x1 to x6.
    [[nodiscard]] u64 argument(unsigned n) const {
        const u64 value = vcpu_.port().general_register(n);
        return aarch64::SmcccFunction{function_}.get<aarch64::SmcccFunction::Is64>() ? value : value & 0xffff'ffff;
    }
    [[nodiscard]] u32 argument32(unsigned n) const { return static_cast<u32>(vcpu_.port().general_register(n)); }

    void set_result(unsigned n, u64 value) const { vcpu_.port().set_general_register(n, value); }
    /// Ends the call with a signed result in x0.
    [[nodiscard]] Answer finish(i64 result) const {
        set_result(0, static_cast<u64>(result));
        return Answer::complete();
    }

private:
    Vcpu &vcpu_;
    u32 function_;
};

} // namespace sel4vm::dev
