// SPDX-License-Identifier: BSD-2-Clause
//
// The state machine and the deliveries of all vCPUs, by index: a whole GIC without registers, locks and Vm.
#pragma once

#include <sel4vm/dev/arm/gic/cpu_delivery.hpp>
#include <sel4vm/dev/arm/gic/gic_state.hpp>
#include <sel4vm/dev/arm/gic/irq_machine.hpp>

namespace sel4vm::dev {

class GicCore {
public:
    [[nodiscard]] Status<GicError> init(Allocator &allocator, const GicConfig &config);
    /// Every vCPU must be attached before the first guest runs.
    [[nodiscard]] Status<GicError> attach(u32 cpu, aarch64::ListRegisterPort &lists, aarch64::TimerPort &timer);

    [[nodiscard]] IrqMachine &irqs() { return irqs_; }
    [[nodiscard]] CpuDelivery &delivery(u32 cpu) { return deliveries_[cpu]; }

    /// Makes the pending and active state of a word as exact as can be seen by `caller`, before a register shows or
    /// changes it. Others whose list registers hold a part of it are woken, so that looking again finds out.
    void observe(u32 caller, u32 cpu, u32 w);

    /// A vCPU writes an interrupt's number to its deactivation register, whoever acknowledged it (IHI 0069, ICC_DIR_EL1).
    void deactivate(u32 caller, u32 intid);
    /// Whether that can be carried out: the host's list registers can be rewritten.
    [[nodiscard]] bool handles_deactivation() const { return irqs_.can_rewrite(); }

    /// Every vCPU is off then.
    void reset();
    void turned_on(u32 cpu);
    void turned_off(u32 cpu);

    // gic_core_state.cpp: while every vCPU is stopped
    void save(GicState &to);
    void restore(const GicState &from);

private:
    void restore_irqs(u32 cpu, u32 w, const GicIrqState &from);
    void restore_private(u32 n, const GicCpuState &from);
    void restore_routes(u32 w, const GicSharedState &from);
    void restore_messages(u32 w, u32 messages);

    IrqMachine irqs_;
    OwnedArray<CpuDelivery> deliveries_;
    aarch64::ListRegisterAbilities abilities_;
    bool adapted_ = false;
};

} // namespace sel4vm::dev
