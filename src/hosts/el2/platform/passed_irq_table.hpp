// SPDX-License-Identifier: BSD-2-Clause
//
// Which shared interrupts of the machine belong to VMs: one table for all CPUs. It is filled before VMs run; which vCPU an interrupt is for may
// change at any time.
#pragma once

#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/arch/aarch64/ports/physical_irq_port.hpp>
#include <sel4vm/base/owned_array.hpp>

#include <atomic>

namespace sel4vm::el2 {

class Vcpu;

class PassedIrqTable {
public:
    struct Owner {
        aarch64::PhysicalIrqSink *sink = nullptr; ///< nullptr: no VM has it
        std::atomic<Vcpu *> vcpu{nullptr};        ///< whom it is for
    };

    /// Once, before anything else; false: there is no memory. Without it no VM has any.
    [[nodiscard]] bool create(Allocator &allocator) {
        owners_ = OwnedArray<Owner>::make(allocator, aarch64::kIntidLimit - aarch64::kFirstSpi);
        return static_cast<bool>(owners_);
    }
    /// Of a shared interrupt, after create().
    [[nodiscard]] Owner &at(u32 intid) { return owners_[intid - aarch64::kFirstSpi]; }
    /// nullptr: it is no VM's.
    [[nodiscard]] const Owner *owner_of(u32 intid) const {
        const u32 index = intid - aarch64::kFirstSpi; // large for others
        return index < owners_.size() && owners_[index].sink != nullptr ? &owners_[index] : nullptr;
    }

private:
    OwnedArray<Owner> owners_;
};

} // namespace sel4vm::el2
