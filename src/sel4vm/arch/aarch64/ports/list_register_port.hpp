// SPDX-License-Identifier: BSD-2-Clause
//
// The virtual CPU interface of a GIC: list registers of one vCPU, in one form for GICv2 and GICv3. The host declares
// what its hardware or kernel lets a VMM do; the GIC model adapts to the declaration, never to the host's name.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

struct ListRegisterAbilities {
    u8 count = 0;                     ///< list registers of each vCPU, 1 to 16
    bool read_back = false;           ///< read() tells the state the guest left
    bool clear = false;               ///< a register in use can be overwritten
    bool hardware_link = false;       ///< `physical_intid` is honoured
    bool optional_eoi = false;        ///< maintenance on EOI can be left out; without it every register raises one
    bool source_cpu = false;          ///< GICv2: an SGI's source CPU is delivered to the guest
    bool maintenance_control = false; ///< set_maintenance() works
    bool unlisted_ends = false;       ///< take_unlisted_ends() and priority_runs() work
    bool deactivation_trap = false;   ///< GICv3: set_deactivation() works
    bool any_time = false;            ///< a vCPU that executes its guest can be given one, when can_write_now() says so
    u8 priority_bits = 5;             ///< significant bits of priority, from the top of the 8-bit value
    u16 max_intid = 1019;
};

enum class ListRegisterState : u8 { empty = 0, pending = 1, active = 2, pending_and_active = 3 };

/// One virtual interrupt as the hardware holds it.
struct ListRegister {
    ListRegisterState state = ListRegisterState::empty;
    u8 priority = 0;   ///< 8 bits, 0 highest
    u8 source_cpu = 0; ///< SGIs on GICv2, 0 to 7
    bool eoi_maintenance = false;
    bool hardware_linked = false;
    bool group1 = true;
    u16 physical_intid = 0; ///< when hardware_linked
    u32 intid = 0;
    friend constexpr bool operator==(const ListRegister &, const ListRegister &) = default;
};

/// Causes of IrqService::maintenance apart from the ends of interrupts; the bits of GICH_HCR and ICH_HCR_EL2. Each lasts
/// until it is no longer asked for or no longer true.
namespace maintenance {
inline constexpr u32 kUnderflow = 1u << 1;   ///< at most one list register is in use
inline constexpr u32 kUnlistedEnd = 1u << 2; ///< take_unlisted_ends() would not be zero; only with unlisted_ends
inline constexpr u32 kNoPending = 1u << 3;   ///< no list register is pending (one that is active, too, does not count)
inline constexpr u32 kGroup0Enabled = 1u << 4;  ///< the guest's CPU interface signals the group
inline constexpr u32 kGroup0Disabled = 1u << 5; ///< it does not
inline constexpr u32 kGroup1Enabled = 1u << 6;
inline constexpr u32 kGroup1Disabled = 1u << 7;
} // namespace maintenance

/// Who carries out the guest's writes of ICC_DIR_EL1.
enum class Deactivation : u8 {
    by_hardware, ///< the virtual CPU interface, in the list registers of the vCPU that writes
    trapped,     ///< whoever handles the system register
};

class ListRegisterPort {
public:
    [[nodiscard]] virtual ListRegisterAbilities abilities() const = 0;

    /// Loads list register `index`. False, and nothing is changed: it is in use on a host without `clear`, or index or value are
    /// beyond the abilities. (A plain bool, because every injected interrupt pays for it.)
    [[nodiscard]] virtual bool write(unsigned index, const ListRegister &value) = 0;
    /// With any_time: whether the caller is the vCPU's executor, and its guest is about to go on executing.
    [[nodiscard]] virtual bool can_write_now() { return false; }
    /// What register `index` holds now; only with `read_back`.
    [[nodiscard]] virtual ListRegister read(unsigned index) = 0;

    /// Bit n set: register n finished since the last call of take_finished (EISR and ELRSR together; on hosts
    /// without read_back, those whose maintenance event arrived). The caller then owns the register again.
    [[nodiscard]] virtual u32 take_finished() = 0;

    /// Asks for IrqService::maintenance for these causes, and no others. Only with maintenance_control.
    virtual void set_maintenance(u32 causes) = 0;

    /// How many interrupts that no list register holds the guest has ended (EOImode 0) since the last call, modulo 32. Only with
    /// unlisted_ends.
    [[nodiscard]] virtual u32 take_unlisted_ends() = 0;
    /// Whether an interrupt that was acknowledged with this priority in this group may still run: the active priorities say so.
    [[nodiscard]] virtual bool priority_runs(u8 priority, bool group1) = 0;

    /// Only with deactivation_trap; by_hardware after a reset of the vCPU.
    virtual void set_deactivation(Deactivation how) = 0;

    /// The guest's CPU interface, both versions: GICH_VMCR or ICH_VMCR_EL2. The GIC model reads the bits in which they agree (enables of group 0 and
    /// 1 in bits 0 and 1, EOImode in 9, the priority mask from 31 down, five or eight bits of it); a saved word goes back to a host of
    /// the same version. Only with read_back.
    [[nodiscard]] virtual u32 interface_control() = 0;
    virtual void set_interface_control(u32 value) = 0;

protected:
    ~ListRegisterPort() = default;
};

} // namespace sel4vm::aarch64
