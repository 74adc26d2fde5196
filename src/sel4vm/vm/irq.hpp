// SPDX-License-Identifier: BSD-2-Clause
//
// Interrupts as devices see them (IrqLine), and clients that stand for hardware (IrqRouter). Behind a router is an interrupt controller of
// ours (dev/arm/gic), which the core drives through vm/irq_delivery.hpp, or one of the host's own, which delivers by itself.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm {

enum class Trigger : u8 { level, edge };
enum class Level : u8 { low, high };
[[nodiscard]] constexpr Level level_of(bool asserted) { return asserted ? Level::high : Level::low; }

/// A client that wants to know when the guest has ended an interrupt (EOI or deactivation): the acknowledgement of
/// vm_register_irq, or the physical interrupt behind a passed-through one. Called on the vCPU's executor, without locks. Also
/// called when the guest has made an interrupt deliverable of which an inject() was refused.
class EoiListener {
public:
    virtual void interrupt_ended(VcpuId vcpu, u32 intid) = 0;

protected:
    ~EoiListener() = default;
};

/// The inputs of one VM's interrupt controller. It locks itself and wakes vCPUs by itself. Interrupts that has() does not know must not
/// be named to the others.
class IrqRouter {
public:
    [[nodiscard]] virtual bool has(u32 intid) const = 0;
    /// Drives a shared interrupt's wire; from any thread. For edge-triggered interrupts a rising wire is the edge.
    virtual void set_level(u32 intid, Level level) = 0;
    /// Drives the wire of a private interrupt (AArch64: PPI) of one vCPU; from any thread.
    virtual void set_private_level(VcpuId vcpu, u32 intid, Level level) = 0;
    /// Pends an interrupt once, whatever its trigger and its wire, if the guest would have it delivered. A private interrupt is that of
    /// `vcpu`. False: it would not be delivered, or this controller cannot pend one without a wire; it is not remembered.
    [[nodiscard]] virtual bool inject(VcpuId vcpu, u32 intid) = 0;
    /// One listener for each INTID, on all vCPUs; nullptr removes it. While the VM is built or paused. False: this controller does not tell ends.
    [[nodiscard]] virtual bool set_eoi_listener(u32 intid, EoiListener *listener) = 0;

    /// Power-on state of everything but the wires; every vCPU is stopped.
    virtual void reset() = 0;

protected:
    ~IrqRouter() = default;
};

/// A device's end of one interrupt wire. A default-made line is connected to nothing.
class IrqLine {
public:
    constexpr IrqLine() = default;
    constexpr IrqLine(IrqRouter &router, u32 intid) : router_(&router), intid_(intid) {}

    void set(Level level) const {
        if (router_ != nullptr)
            router_->set_level(intid_, level);
    }
    /// A rising and falling edge, for edge-triggered interrupts.
    void pulse() const {
        set(Level::high);
        set(Level::low);
    }

private:
    IrqRouter *router_ = nullptr;
    u32 intid_ = 0;
};

} // namespace sel4vm
