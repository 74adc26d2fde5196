// SPDX-License-Identifier: BSD-2-Clause
//
// The turns of a VM's devices: at the end of exits of a vCPU, a step each. So they are scheduled and charged as the vCPU is, and no guest gets
// more of a CPU by asking its devices for more. Between two steps the vCPU runs on, for kPauseMicroseconds while it has something to run; one that
// waits works on.
//
// Deliberately not here: work for nobody's vCPU, such as a host's own.
//
// Threads: as WorkTurns; run() and leaving() on the vCPU's executor.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/device_work.hpp>
#include <sel4vm/vm/timeout.hpp>

namespace sel4vm {

class Vcpu;
class Vm;

class VcpuWork final : public WorkTurns, private TimeoutHandler {
public:
    static constexpr usize kMax = 64;
    /// What is done at the end of one exit: tens of microseconds.
    static constexpr u64 kStepBytes = 64 * kKiB;
    /// How long a guest that has something to run does before the next step, unless it leaves its vCPU by itself.
    static constexpr u64 kPauseMicroseconds = 50;

    /// `vm` and the queue outlive it.
    VcpuWork(Vm &vm, Clock &clock, TimeoutQueue &timeouts)
        : vm_(vm), clock_(clock), timeouts_(timeouts), pause_(*this) {}
    VcpuWork(const VcpuWork &) = delete;
    VcpuWork &operator=(const VcpuWork &) = delete;
    ~VcpuWork() { timeouts_.cancel(pause_); }

    [[nodiscard]] bool add(DeviceWork &work) override { return works_.emplace_back(&work) != nullptr; }
    void ask(DeviceWork &work, VcpuId by) override;
    void ask(DeviceWork &work) override { ask(work, worked_last()); }
    void withdraw(DeviceWork &work) override { work.forget(); }

    // -- for Vm
    /// The end of an exit of a vCPU that was asked: a step. True: there is more, for which the vCPU is asked again at its next exit, which is made
    /// to come when the pause is over.
    [[nodiscard]] bool run(Vcpu &vcpu);
    /// The vCPU is off from now on: somebody else does what was its to do.
    void leaving(Vcpu &vcpu);

private:
    [[nodiscard]] VcpuId worked_last() const { return VcpuId{worked_last_.load(std::memory_order_relaxed)}; }
    [[nodiscard]] bool any_wanted() const;
    [[nodiscard]] bool give_to(Vcpu &vcpu);
    void give_to_any(VcpuId first);
    void timeout() override { give_to_any(worked_last()); }

    Vm &vm_;
    Clock &clock_;
    TimeoutQueue &timeouts_;
    Timeout pause_;
    std::atomic<u16> worked_last_{0};
    std::atomic<u32> first_{0}; ///< which of works_ begins
    FixedVector<DeviceWork *, kMax> works_;
};

} // namespace sel4vm
