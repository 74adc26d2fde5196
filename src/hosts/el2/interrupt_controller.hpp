// SPDX-License-Identifier: BSD-2-Clause
//
// What the run loop needs of the physical interrupt controller of this CPU, GICv2 or GICv3. The driver (platform/) sets
// it up with EOImode = 1, so that priority drop and deactivation are two steps; everything here runs with interrupts
// masked at EL2. Interrupts stay disabled until somebody enables them.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

enum class GicVersion : u8 { v2 = 2, v3 = 3 };

/// What the virtual interface needs to know about the physical controller.
struct GicHardware {
    GicVersion version = GicVersion::v2;
    HostPhys virtual_control{};       ///< GICv2 GICH registers; mapped at the same address for EL2
    HostPhys virtual_cpu_interface{}; ///< GICv2 GICV registers, 8 KiB, to be mapped into guests
    u32 maintenance_intid = 25;
};

class InterruptController {
public:
    [[nodiscard]] virtual GicHardware hardware() const = 0;

    /// Reads the acknowledge register, all its bits. Its intid_of() is 1020 or more when nothing is pending.
    [[nodiscard]] virtual u32 acknowledge() = 0;
    /// `acknowledged` is what acknowledge() returned.
    virtual void drop_priority(u32 acknowledged) = 0;
    virtual void deactivate(u32 acknowledged) = 0;
    [[nodiscard]] u32 intid_of(u32 acknowledged) const { return acknowledged & intid_mask_; }

    virtual void enable(u32 intid) = 0;
    virtual void disable(u32 intid) = 0;
    /// The active bit; an active interrupt is not signalled again.
    [[nodiscard]] virtual bool is_active(u32 intid) = 0;
    virtual void set_active(u32 intid) = 0;
    virtual void clear_active(u32 intid) = 0;

    /// Software-generated interrupt `sgi` to the CPU with this index (0 is the boot CPU).
    virtual void send_sgi(u32 cpu, u32 sgi) = 0;

protected:
    ~InterruptController() = default;
    u32 intid_mask_ = 0xffffff; ///< 0x3ff on GICv2, where bits 12:10 name the sender of an SGI
};

/// Serves one physical interrupt of a host device (the console). Called with the interrupt acknowledged.
class InterruptHandler {
public:
    /// Quiets the device; returns the badge bits to signal to the executor, 0 for none.
    [[nodiscard]] virtual u64 interrupt(u32 intid) = 0;

protected:
    ~InterruptHandler() = default;
};

} // namespace sel4vm::el2
