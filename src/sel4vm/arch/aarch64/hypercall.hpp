// SPDX-License-Identifier: BSD-2-Clause
//
// HypercallExit on AArch64: calls by HVC and SMC under the SMC Calling Convention (Arm DEN 0028), whose function identifier is w0 whatever the
// upper half of x0 holds.
#pragma once

#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/host/exit.hpp>

namespace sel4vm::aarch64 {

enum class Conduit : u8 { hvc, smc };

/// HypercallExit::origin.
struct CallOrigin : RegValue<CallOrigin, u32> {
    using RegValue::RegValue;
    using Instruction = Field<16, 16, Conduit>;
    using Immediate = Field<15, 0, u16>;
    static_assert(disjoint<Instruction, Immediate>());
};

[[nodiscard]] constexpr HypercallExit hypercall(u64 x0, u16 immediate, Conduit conduit) {
    return {static_cast<u32>(x0), u32{immediate} | static_cast<u32>(conduit) << 16};
}
static_assert(CallOrigin{hypercall(0, 7, Conduit::smc).origin}.get<CallOrigin::Instruction>() == Conduit::smc);

[[nodiscard]] constexpr Conduit conduit_of(const HypercallExit &call) {
    return CallOrigin{call.origin}.get<CallOrigin::Instruction>();
}
[[nodiscard]] constexpr u16 immediate_of(const HypercallExit &call) {
    return CallOrigin{call.origin}.get<CallOrigin::Immediate>();
}

} // namespace sel4vm::aarch64
