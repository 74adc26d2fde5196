// SPDX-License-Identifier: BSD-2-Clause
//
// Firmware calls on a real Vm: a guest's HVC or SMC with its registers, and the results.
#pragma once

#include <gtest/gtest.h>
#include <sel4vm/vm/vm.hpp>
#include <support/vm_fixture.hpp>

#include <array>

namespace sel4vm::test {

struct FirmwareArguments {
    u64 x1 = 0, x2 = 0, x3 = 0;
    u16 vcpu = 0;
    aarch64::Conduit conduit = aarch64::Conduit::hvc;
    u16 immediate = 0;
    u64 upper = 0; ///< the upper half of x0, which the call must ignore
};

struct FirmwareFixture {
    explicit FirmwareFixture(usize vcpus = 1, ResetPolicy on_reset = ResetPolicy::restart) : f(vcpus, on_reset) {}

    using Arguments = FirmwareArguments;
    /// Makes the call with x4 to x17 marked, and checks that they come back.
    Answer call(u32 function, Arguments a = {}) {
        fake::Vcpu &port = f.ports[a.vcpu];
        const std::array<u64, 4> first{a.upper << 32 | function, a.x1, a.x2, a.x3};
        for (unsigned n = 0; n < 18; ++n)
            port.set_general_register(n, n < 4 ? first[n] : 0x5a5a'0000 + n);
        const Answer answer =
            f.vm.handle(f.vcpu(a.vcpu), Exit{aarch64::hypercall(port.general_register(0), a.immediate, a.conduit)});
        for (unsigned n = 4; n < 18; ++n)
            EXPECT_EQ(port.general_register(n), 0x5a5a'0000 + n);
        return answer;
    }
    u64 x(unsigned n, u16 vcpu = 0) { return f.ports[vcpu].general_register(n); }
    /// The call's signed result.
    i64 result(u32 function, Arguments a = {}) {
        EXPECT_EQ(call(function, a).kind(), AnswerKind::complete);
        return static_cast<i64>(x(0, a.vcpu));
    }

    VmFixture f;
};

} // namespace sel4vm::test
