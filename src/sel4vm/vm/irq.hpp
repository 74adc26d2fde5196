// SPDX-License-Identifier: BSD-2-Clause
//
// Interrupts as devices see them (IrqLine) and as the core drives them (IrqChip). The chip is the software GIC
// (dev/arm/gic); a host that virtualizes a whole controller by itself can put its own in its place.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm {

class Vcpu;

enum class Trigger : u8 { level, edge };
enum class Level : u8 { low, high };
[[nodiscard]] constexpr Level level_of(bool asserted) { return asserted ? Level::high : Level::low; }

/// One VM's interrupt controller. Locks itself (LockRank::irq_chip); wakes vCPUs through VcpuPort::kick().
class IrqChip {
public:
    /// Drives a shared interrupt's wire; from any thread. For edge-triggered interrupts a rising wire is the edge.
    virtual void set_level(u32 intid, Level level) = 0;
    /// Drives the wire of a private interrupt (AArch64: PPI) of one vCPU; from any thread.
    virtual void set_private_level(VcpuId vcpu, u32 intid, Level level) = 0;

    /// Loads what is pending for this vCPU into the hardware; the core calls it on the vCPU's own executor at the end of an
    /// exit when Vcpu::request_sync() was called since the last one.
    virtual void sync(Vcpu &vcpu) = 0;
    /// The hardware asks for service: collect finished interrupts, load more.
    virtual void maintain(Vcpu &vcpu) = 0;
    /// True when an interrupt could be taken by the vCPU now, whatever its PSTATE masks say: ends a wait.
    [[nodiscard]] virtual bool has_deliverable(Vcpu &vcpu) = 0;
    /// The guest's own timer fired (TimerExit); the chip pends the PPI and unmasks the timer at its EOI.
    virtual void timer_fired(Vcpu &vcpu, u32 intid) = 0;

    /// Power-on state of everything; every vCPU is stopped.
    virtual void reset() = 0;
    /// The vCPU, whose port was reset, is about to run.
    virtual void turned_on(Vcpu &vcpu) = 0;
    /// The vCPU is off, and stopped at its port: what its hardware holds for it must go elsewhere.
    virtual void turned_off(Vcpu &vcpu) = 0;

protected:
    ~IrqChip() = default;
};

/// A device's end of one interrupt wire. A default-made line is connected to nothing.
class IrqLine {
public:
    constexpr IrqLine() = default;
    constexpr IrqLine(IrqChip &chip, u32 intid) : chip_(&chip), intid_(intid) {}

    void set(Level level) const {
        if (chip_ != nullptr)
            chip_->set_level(intid_, level);
    }
    /// A rising and falling edge, for edge-triggered interrupts.
    void pulse() const {
        set(Level::high);
        set(Level::low);
    }

private:
    IrqChip *chip_ = nullptr;
    u32 intid_ = 0;
};

} // namespace sel4vm
