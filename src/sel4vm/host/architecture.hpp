// SPDX-License-Identifier: BSD-2-Clause
//
// What the core asks about the architecture of its guests, which it does not know: words for messages, and where the result of a call is. Without
// state, and off the way of every exit that goes well.
#pragma once

#include <sel4vm/base/text.hpp>
#include <sel4vm/host/exit.hpp>
#include <sel4vm/host/vcpu_port.hpp>

namespace sel4vm {

class Architecture {
public:
    /// A system register as its manual or an assembler writes it.
    [[nodiscard]] virtual Text<32> register_name(u32 id) const = 0;
    /// The instruction of a call, such as "hvc #0".
    [[nodiscard]] virtual Text<32> call_name(const HypercallExit &call) const = 0;
    /// Tells the guest that nobody serves its call.
    virtual void refuse_call(VcpuPort &vcpu) const = 0;
    /// Whether an exception that is raised now would be taken where PC is: a guest that cannot fetch from there gets no further.
    [[nodiscard]] virtual bool is_where_exceptions_go(VcpuPort &vcpu) const = 0;

protected:
    ~Architecture() = default;
};

} // namespace sel4vm
