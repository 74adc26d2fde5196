// SPDX-License-Identifier: BSD-2-Clause
//
// The virtual CPU interface of the physical GIC: list registers and control of the vCPU that is loaded on this CPU, and
// the saved copy of one that is not. GICv2 through the GICH registers, GICv3 through the ICH_* system registers; the
// version is the hardware's and known at boot. What the interrupts mean is the GIC model's business.
#pragma once

#include <hosts/el2/lib/mmio.hpp>
#include <hosts/el2/platform/gic.hpp>
#include <hosts/el2/portable/gic/list_register_format.hpp>

#include <sel4vm/base/types.hpp>

#include <array>

namespace sel4vm::el2 {

/// One vCPU's half of the interface while another vCPU is loaded.
struct VirtualInterfaceState {
    static constexpr usize kMaxListRegisters = 16;
    std::array<u64, kMaxListRegisters> list{};
    std::array<u32, 4> active_priorities0{}; ///< GICv2 uses [0] of this one only
    std::array<u32, 4> active_priorities1{};
    u32 control = 0;         ///< HCR
    u32 machine_control = 0; ///< VMCR
};

class VirtualInterface {
public:
    VirtualInterface(GicVersion version, Mmio gich);
    VirtualInterface(const VirtualInterface &) = delete;
    VirtualInterface &operator=(const VirtualInterface &) = delete;

    [[nodiscard]] GicVersion version() const { return version_; }
    [[nodiscard]] unsigned count() const { return count_; }
    [[nodiscard]] unsigned priority_bits() const { return priority_bits_; }

    /// Prepares the calling CPU: nothing in flight, interface off.
    void initialise() const;
    /// State of a vCPU out of reset.
    [[nodiscard]] VirtualInterfaceState reset_state() const;
    void save(VirtualInterfaceState &to) const;
    void load(const VirtualInterfaceState &from) const;

    // The loaded vCPU's registers.
    [[nodiscard]] u64 list_register(unsigned index) const;
    void set_list_register(unsigned index, u64 raw) const;
    /// EISR | ELRSR: bit n set when register n holds nothing that the guest still works on.
    [[nodiscard]] u32 finished() const;
    void set_control(u32 value) const;
    [[nodiscard]] u32 machine_control() const;
    void set_machine_control(u32 value) const;

    // HCR bits, the same in both versions.
    static constexpr u32 kEnable = 1u << 0;
    static constexpr u32 kUnderflow = 1u << 1;

    [[nodiscard]] u64 encode(const aarch64::ListRegister &lr) const {
        return version_ == GicVersion::v3 ? to_ich(lr) : to_gich(lr);
    }
    [[nodiscard]] aarch64::ListRegister decode(u64 raw) const {
        return version_ == GicVersion::v3 ? from_ich(raw) : from_gich(raw);
    }

private:
    Mmio gich_;
    GicVersion version_;
    unsigned count_ = 0;
    unsigned priority_bits_ = 5;
    unsigned active_priority_words_ = 1;
};

} // namespace sel4vm::el2
