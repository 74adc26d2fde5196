// SPDX-License-Identifier: BSD-2-Clause
//
// What drives the lifecycle of a VM from inside.
#pragma once

#include <gtest/gtest.h>
#include <support/vm_fixture.hpp>

namespace sel4vm::test {

/// Hypercalls that drive the lifecycle from inside, as PSCI does.
struct Power final : HypercallHandler {
    enum : u32 { off = 1, restart = 2, cpu_off = 3, cpu_on = 4, pause = 5 };
    Answer call(Vcpu &vcpu, const HypercallExit &exit) override {
        switch (static_cast<u32>(exit.function)) {
        case off: vcpu.vm().stop(StopReason::powered_off); break;
        case restart: vcpu.vm().guest_requested_reset(); break;
        case cpu_off: return vcpu.vm().power_off(vcpu);
        case cpu_on: last = vcpu.vm().power_on(vcpu.vm().vcpu(VcpuId{1}), {0x4000'1000, 9}); break;
        case pause: EXPECT_TRUE(vcpu.vm().pause()); break;
        default: return Answer::none();
        }
        return Answer::complete();
    }
    Vm::PowerOn last = Vm::PowerOn::wrong_state;
};

/// Holds its vCPU at the first fault, and lets it pass afterwards.
struct Holder final : ReservationHandler {
    Answer fault(Vcpu &, const MemoryExit &) override {
        return ++faults == 1 ? Answer::retry().then(Next::stop) : Answer::complete();
    }
    int faults = 0;
};

struct TurnOff final : HypercallHandler {
    Answer call(Vcpu &vcpu, const HypercallExit &) override { return vcpu.vm().power_off(vcpu); }
};

struct LifecycleTest : testing::Test {
    void prepare(VmFixture &f) { ASSERT_TRUE(f.vm.hypercalls().add(Power::off, Power::pause, power)); }
    Power power;
};

} // namespace sel4vm::test
