// SPDX-License-Identifier: BSD-2-Clause
//
// The virtual CPU interface of the physical GIC: list registers and control of the vCPU that is loaded on this CPU, and
// the saved copy of one that is not. GICv2 through the GICH registers, GICv3 through the ICH_* system registers; the
// version is the hardware's and known at boot. What the interrupts mean is the GIC model's business.
#pragma once

#include <hosts/el2/lib/mmio.hpp>
#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/platform/gic.hpp>
#include <hosts/el2/portable/gic/list_register_format.hpp>

#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/arch/aarch64/gic_system_registers.hpp>
#include <sel4vm/base/types.hpp>

#include <array>

namespace sel4vm::el2 {

// The number is part of the instruction, hence a switch.
#define SEL4VM_EACH_LIST_REGISTER(row)                                                                                 \
    row(0, S3_4_C12_C12_0) row(1, S3_4_C12_C12_1) row(2, S3_4_C12_C12_2) row(3, S3_4_C12_C12_3) row(4, S3_4_C12_C12_4) \
        row(5, S3_4_C12_C12_5) row(6, S3_4_C12_C12_6) row(7, S3_4_C12_C12_7) row(8, S3_4_C12_C13_0)                    \
            row(9, S3_4_C12_C13_1) row(10, S3_4_C12_C13_2) row(11, S3_4_C12_C13_3) row(12, S3_4_C12_C13_4)             \
                row(13, S3_4_C12_C13_5) row(14, S3_4_C12_C13_6) row(15, S3_4_C12_C13_7)

inline u64 read_ich_lr(unsigned index) {
    switch (index) {
#define SEL4VM_ROW(n, name) \
    case n: return SEL4VM_READ_SYSREG(name);
        SEL4VM_EACH_LIST_REGISTER(SEL4VM_ROW)
#undef SEL4VM_ROW
    default: SEL4VM_PANIC("no such list register");
    }
}

inline void write_ich_lr(unsigned index, u64 raw) {
    if (index == 0) [[likely]] { // the others are behind a jump table
        SEL4VM_WRITE_SYSREG(S3_4_C12_C12_0, raw);
        return;
    }
    switch (index) {
#define SEL4VM_ROW(n, name) \
    case n: SEL4VM_WRITE_SYSREG(name, raw); return;
        SEL4VM_EACH_LIST_REGISTER(SEL4VM_ROW)
#undef SEL4VM_ROW
    default: SEL4VM_PANIC("no such list register");
    }
}
#undef SEL4VM_EACH_LIST_REGISTER

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
    [[nodiscard]] bool can_trap_dir() const { return can_trap_dir_; }

    /// Prepares the calling CPU: nothing in flight, interface off.
    void initialise() const;
    /// A GICv2 machine whose CPU could use a GICv3's registers: guests cannot.
    static void close_system_registers();
    /// State of a vCPU out of reset.
    [[nodiscard]] VirtualInterfaceState reset_state() const;
    void save(VirtualInterfaceState &to) const;
    void load(const VirtualInterfaceState &from) const;

    // The loaded vCPU's registers.
    [[nodiscard]] u64 list_register(unsigned index) const {
        return version_ == GicVersion::v3 ? read_ich_lr(index) : gich_.read32(aarch64::gich::kLr + 4 * index);
    }
    void set_list_register(unsigned index, u64 raw) const {
        if (version_ == GicVersion::v3)
            write_ich_lr(index, raw);
        else
            gich_.write32(aarch64::gich::kLr + 4 * index, static_cast<u32>(raw));
    }
    /// EISR: bit n set when register n raises the maintenance interrupt for an end, until it is written.
    [[nodiscard]] u32 ended() const {
        if (version_ == GicVersion::v3)
            return static_cast<u32>(SEL4VM_READ_SYSREG(S3_4_C12_C11_3)); // ICH_EISR_EL2
        return gich_.read32(aarch64::gich::kEisr0);
    }
    /// ELRSR: bit n set when register n holds nothing, and no end to report.
    [[nodiscard]] u32 empty() const {
        if (version_ == GicVersion::v3)
            return static_cast<u32>(SEL4VM_READ_SYSREG(S3_4_C12_C11_5)); // ICH_ELRSR_EL2
        return gich_.read32(aarch64::gich::kElrsr0);
    }
    [[nodiscard]] u32 control() const;
    void set_control(u32 value) const;
    void save_active_priorities(VirtualInterfaceState &to) const;
    [[nodiscard]] u32 machine_control() const;
    void set_machine_control(u32 value) const;

    /// Whether the active priorities have the one with which the guest acknowledges an interrupt of this priority.
    [[nodiscard]] bool priority_runs(const VirtualInterfaceState &state, u32 machine_control, u8 priority,
                                     bool group1) const;

    // HCR bits, the same in both versions unless they say so.
    static constexpr u32 kEnable = aarch64::GichHcr::En::mask;
    static constexpr u32 kMaintenanceCauses = 0xfe;
    static constexpr u32 kEoiCountShift = aarch64::GichHcr::EoiCount::shift;
    static constexpr u32 kEoiCount =
        aarch64::GichHcr::EoiCount::mask; ///< ends of interrupts that no list register holds
    /// GICv3: writes of ICC_DIR_EL1, where can_trap_dir()
    static constexpr u32 kTrapDir = static_cast<u32>(aarch64::IchHcrEl2::Tdir::mask);

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
    unsigned preemption_bits_ = 5;
    unsigned active_priority_words_ = 1;
    bool can_trap_dir_ = false;
};

} // namespace sel4vm::el2
