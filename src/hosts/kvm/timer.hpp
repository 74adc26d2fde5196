// SPDX-License-Identifier: BSD-2-Clause
//
// The virtual timer of one vCPU, from outside. The kernel raises its interrupt by itself, so there is never anything to unmask; what is left is
// which counter the guest sees, and the timer's state.
//
// Threads: as TimerPort.
#pragma once

#include <hosts/kvm/kernel_vcpu.hpp>

#include <sel4vm/arch/aarch64/ports/timer_port.hpp>
#include <sel4vm/host/services.hpp>

namespace sel4vm::kvm {

class Timer final : public aarch64::TimerPort {
public:
    /// `clock` counts as the guests' physical counter does. Both outlive this.
    Timer(KernelVcpu &kernel, sel4vm::Clock &clock) : kernel_(kernel), clock_(clock) {}

    void unmask() override {}
    [[nodiscard]] aarch64::VirtualTimerState state() override;
    void set_state(const aarch64::VirtualTimerState &state) override;
    [[nodiscard]] u64 counter_offset() override { return offset_; }
    /// The kernel has one offset for all vCPUs of a VM, and takes what the counter is to show now: the time of the call is the error.
    void set_counter_offset(u64 ticks) override;

private:
    KernelVcpu &kernel_;
    sel4vm::Clock &clock_;
    u64 offset_ = 0;
};

} // namespace sel4vm::kvm
