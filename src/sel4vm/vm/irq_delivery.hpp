// SPDX-License-Identifier: BSD-2-Clause
//
// How the core drives an interrupt controller that delivers in software: ours. A VM whose host has a controller of its own has none.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm {

class Vcpu;

/// Everything is called on the vCPU's own executor, or while it is stopped.
class IrqDelivery {
public:
    /// Loads what is pending for this vCPU into the hardware; the core calls it at the end of an exit when Vcpu::request_sync() was called
    /// since the last one.
    virtual void sync(Vcpu &vcpu) = 0;
    /// The interrupt hardware asks for service: IrqServiceExit.
    virtual void service(Vcpu &vcpu, u32 source) = 0;
    /// True when an interrupt could be taken by the vCPU now, whatever it masks itself: ends a wait.
    [[nodiscard]] virtual bool has_deliverable(Vcpu &vcpu) = 0;

    /// True when an interrupt waits for the vCPU that is enabled, whatever its CPU interface lets through: ends a sleep without power. In doubt
    /// yes.
    [[nodiscard]] virtual bool has_wake_up(Vcpu &vcpu) = 0;

    /// The vCPU, whose port was reset, is about to run.
    virtual void turned_on(Vcpu &vcpu) = 0;
    /// The vCPU is off, and stopped at its port: what its hardware holds for it must go elsewhere.
    virtual void turned_off(Vcpu &vcpu) = 0;
    /// The vCPU has slept without power and its port is about to be reset; it is turned on afterwards. As turned_off(), but its virtual timer
    /// goes on.
    virtual void lost_power(Vcpu &vcpu) = 0;

protected:
    ~IrqDelivery() = default;
};

} // namespace sel4vm
