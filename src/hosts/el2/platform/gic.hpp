// SPDX-License-Identifier: BSD-2-Clause
//
// The physical GIC, version 2 or 3 (IHI 0048B, IHI 0069), as one CPU uses it: each CPU has an object of its own, and calls it. EOI is split (EOImode 1):
// take() drops the running priority, deactivate() lets the interrupt fire again, so an interrupt can stay
// active on behalf of a guest. Everything is non-secure group 1 (group 0 where the GIC has one security state and is a v2).
// Deliberately not here: GICH and ICH_*, the virtual side, which belong to the vCPU half of the host; and LPIs.
// Interrupts the host did not enable are never touched. The CPU keeps PSTATE.I set, so nothing here can be interrupted.
#pragma once

#include <hosts/el2/lib/mmio.hpp>
#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/portable/platform_info.hpp>

#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

/// What take() returned; deactivate() wants it back (GICv2 carries an SGI's source in it).
struct IrqToken {
    u32 raw;
    [[nodiscard]] constexpr u32 intid() const { return raw & 0x3ff; }
    /// Nothing was pending. INTIDs 1020 to 1023 are special on both versions; LPIs are never enabled.
    [[nodiscard]] constexpr bool spurious() const { return intid() >= aarch64::kIntidLimit; }
    /// For an interrupt whose token was not kept: right for every PPI and SPI.
    static constexpr IrqToken of(u32 intid) { return {intid}; }
};

/// The SGI by which one CPU makes another look around.
inline constexpr u32 kCallSgi = 0;

class Gic {
public:
    explicit Gic(const GicInfo &info);
    Gic(const Gic &) = delete;
    Gic &operator=(const Gic &) = delete;

    /// Turns on the distributor's forwarding, unless it is on, and the calling CPU's interface: from now on this object is that CPU's. Panics when
    /// the hardware is not what the device tree says.
    void initialise();

    [[nodiscard]] GicVersion version() const { return version_; }
    /// One more than the highest INTID that the distributor has.
    [[nodiscard]] u32 intid_count() const { return intid_count_; }

    /// Acknowledges what is pending, and drops the priority: other interrupts may be taken, this one stays active.
    [[nodiscard]] IrqToken take() const {
        if (version_ == GicVersion::v3) {
            const IrqToken token{static_cast<u32>(SEL4VM_READ_SYSREG(icc_iar1_el1))};
            dsb_sy(); // the acknowledge is seen by the distributor before what follows
            if (!token.spurious()) {
                SEL4VM_WRITE_SYSREG(icc_eoir1_el1, token.raw);
                isb();
            }
            return token;
        }
        const Mmio cpu_interface = cpu_interface_;
        const IrqToken token{cpu_interface.read32(aarch64::gicc::kIar)};
        if (!token.spurious())
            cpu_interface.write32(aarch64::gicc::kEoir, token.raw);
        return token;
    }
    /// The interrupt may fire again.
    void deactivate(IrqToken token) const {
        if (version_ == GicVersion::v3) {
            SEL4VM_WRITE_SYSREG(icc_dir_el1, token.raw);
            isb();
        } else {
            cpu_interface_.write32(aarch64::gicc::kDir, token.raw);
        }
    }

    /// Who decides how often it comes.
    enum class IrqCause : u8 { host, guest };
    /// Sets trigger, priority (the host's before guests') and (for an SPI) this CPU as target; leaves the interrupt disabled.
    void configure(const IrqInfo &irq, IrqCause cause = IrqCause::host);
    /// Of an interrupt that is disabled; one such call at a time.
    void set_trigger(u32 intid, IrqTrigger trigger) const;
    /// An SPI goes to the CPU whose object this is; from any CPU.
    void route_here(u32 intid) const;
    void enable(u32 intid) const;
    /// On return the interrupt cannot be acknowledged any more.
    void disable(u32 intid) const;
    [[nodiscard]] bool is_enabled(u32 intid) const;

    /// The active bit, which for a PPI of the virtual timer belongs to the vCPU that is loaded.
    [[nodiscard]] bool is_active(u32 intid) const;
    void set_active(u32 intid) const;
    void clear_active(u32 intid) const;

    // -- software generated interrupts, `sgi` 0 to 15; what was written before is seen by whoever takes it
    /// Raises one on the CPU whose object this is; from any CPU.
    void send_sgi(u32 sgi) const;
    /// Raises one on every other CPU.
    void send_sgi_to_others(u32 sgi) const;

private:
    void initialise_v2();
    void initialise_v3();
    [[nodiscard]] u8 own_target_v2() const;
    void wait_for_write(u32 intid) const;
    /// Where the enable, pending and priority registers of `intid` live.
    [[nodiscard]] Mmio bank(u32 intid) const;
    void check(u32 intid) const;

    GicVersion version_;
    u32 intid_count_ = 0;
    Mmio distributor_;
    Mmio cpu_interface_;  ///< v2
    Mmio redistributor_;  ///< v3: SGI_base frame of this CPU
    u64 sgi_targets_ = 0; ///< what names this CPU in GICD_SGIR or ICC_SGI1R_EL1
    u64 route_ = 0;       ///< and in GICD_ITARGETSR or GICD_IROUTER
    const GicInfo &info_;
};

} // namespace sel4vm::el2
