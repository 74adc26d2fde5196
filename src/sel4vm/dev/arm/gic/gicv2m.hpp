// SPDX-License-Identifier: BSD-2-Clause
//
// A GICv2m frame (Arm Server Base System Architecture, "GICv2m Architecture"): 4 KiB with a register that makes an edge of a shared
// interrupt's wire, so that a device can raise one by a write. It stands beside any GIC, a host's own included, since it drives wires.
// Deliberately no secure frame and no identification besides IIDR, as QEMU's has it. The interrupts of the frame are for messages alone: a
// device's wire would be moved by them.
//
// Reset: there is no state. Threads: any.
#pragma once

#include <sel4vm/vm/device.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/msi.hpp>

namespace sel4vm::dev {

class Gicv2m final : public MmioDevice, public MsiTarget {
public:
    static constexpr u64 kBytes = 0x1000;
    static constexpr u64 kDoorbell = 0x40; ///< offset of MSI_SETSPI_NS

    /// `count` interrupts from INTID `first` on, which the router has.
    Gicv2m(IrqRouter &irqs, u32 first, u32 count) : irqs_(irqs), first_(first), count_(count) {}
    Gicv2m(const Gicv2m &) = delete;
    Gicv2m &operator=(const Gicv2m &) = delete;

    // -- MsiTarget
    void send(u32 device, u32 data) override;

    // -- MmioDevice
    [[nodiscard]] const char *name() const override;
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
    void reset() override {}
    [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }

private:
    IrqRouter &irqs_;
    u32 first_;
    u32 count_;
};

} // namespace sel4vm::dev
