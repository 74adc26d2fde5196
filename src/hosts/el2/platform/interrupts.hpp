// SPDX-License-Identifier: BSD-2-Clause
//
// Who handles which physical interrupt. The vCPU half of the host acknowledges every interrupt, keeps those that belong to
// a vCPU (virtual timer, maintenance, its own timer) and hands the rest to dispatch(). Handlers run with interrupts masked, on the CPU
// that took the interrupt, after priority drop and before deactivation; they silence their device and return.
#pragma once

#include <hosts/el2/platform/gic.hpp>
#include <hosts/el2/platform/passed_irq_table.hpp>

#include <sel4vm/base/fixed_vector.hpp>

namespace sel4vm::el2 {

class IrqHandler {
public:
    virtual void on_irq(u32 intid) = 0;

protected:
    ~IrqHandler() = default;
};

class Interrupts {
public:
    explicit Interrupts(Gic &gic) : gic_(gic) {}
    Interrupts(const Interrupts &) = delete;
    Interrupts &operator=(const Interrupts &) = delete;

    /// Configures and enables `irq` and calls `handler` for it. The handler outlives this object.
    void attach(const IrqInfo &irq, IrqHandler &handler) {
        SEL4VM_ASSERT(routes_.emplace_back(Route{irq.intid, &handler}) != nullptr);
        gic_.configure(irq);
        gic_.enable(irq.intid);
    }
    /// The interrupts of VMs, which are not dispatched. It outlives this object.
    void set_passed(const PassedIrqTable &table) { passed_ = &table; }
    [[nodiscard]] const PassedIrqTable::Owner *owner_of(u32 intid) const {
        return passed_ == nullptr ? nullptr : passed_->owner_of(intid);
    }
    /// Runs the handler of an acknowledged interrupt and deactivates it. One that nobody attached is disabled.
    void dispatch(IrqToken token) {
        for (const Route &route : routes_) {
            if (route.intid != token.intid())
                continue;
            route.handler->on_irq(route.intid);
            gic_.deactivate(token);
            return;
        }
        if (token.intid() >= 16)
            gic_.disable(token.intid());
        gic_.deactivate(token);
    }

private:
    struct Route {
        u32 intid;
        IrqHandler *handler;
    };
    Gic &gic_;
    const PassedIrqTable *passed_ = nullptr;
    FixedVector<Route, 16> routes_;
};

} // namespace sel4vm::el2
