// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/vcpu/virtual_interface.hpp>

#include <hosts/el2/lib/sysreg.hpp>

#include <type_traits>
#include <utility>

namespace sel4vm::el2 {

namespace {

namespace gich = aarch64::gich;
using aarch64::GichVtr;
using aarch64::IchVtrEl2;

// ICH_* by encoding, which every assembler knows.
#define SEL4VM_ICH_AP0R(n) S3_4_C12_C8_##n
#define SEL4VM_ICH_AP1R(n) S3_4_C12_C9_##n
#define SEL4VM_ICH_HCR     S3_4_C12_C11_0
#define SEL4VM_ICH_VTR     S3_4_C12_C11_1
#define SEL4VM_ICH_VMCR    S3_4_C12_C11_7
#define SEL4VM_ICC_SRE_EL1 S3_0_C12_C12_5
#define SEL4VM_ICC_SRE_EL2 S3_4_C12_C9_5
// The names must expand before the access macro makes a string of them.
#define SEL4VM_READ(name)         SEL4VM_READ_SYSREG(name)
#define SEL4VM_WRITE(name, value) SEL4VM_WRITE_SYSREG(name, value)

// Register n exists with more than 4 + n priority bits (n = 1: 6, n = 2 and 3: 7).
void read_active_priorities(VirtualInterfaceState &to, unsigned words) {
    to.active_priorities0[0] = static_cast<u32>(SEL4VM_READ(SEL4VM_ICH_AP0R(0)));
    to.active_priorities1[0] = static_cast<u32>(SEL4VM_READ(SEL4VM_ICH_AP1R(0)));
    if (words >= 2) {
        to.active_priorities0[1] = static_cast<u32>(SEL4VM_READ(SEL4VM_ICH_AP0R(1)));
        to.active_priorities1[1] = static_cast<u32>(SEL4VM_READ(SEL4VM_ICH_AP1R(1)));
    }
    if (words >= 4) {
        to.active_priorities0[2] = static_cast<u32>(SEL4VM_READ(SEL4VM_ICH_AP0R(2)));
        to.active_priorities1[2] = static_cast<u32>(SEL4VM_READ(SEL4VM_ICH_AP1R(2)));
        to.active_priorities0[3] = static_cast<u32>(SEL4VM_READ(SEL4VM_ICH_AP0R(3)));
        to.active_priorities1[3] = static_cast<u32>(SEL4VM_READ(SEL4VM_ICH_AP1R(3)));
    }
}

void load_active_priorities(const VirtualInterfaceState &from, unsigned words) {
    SEL4VM_WRITE(SEL4VM_ICH_AP0R(0), from.active_priorities0[0]);
    SEL4VM_WRITE(SEL4VM_ICH_AP1R(0), from.active_priorities1[0]);
    if (words >= 2) {
        SEL4VM_WRITE(SEL4VM_ICH_AP0R(1), from.active_priorities0[1]);
        SEL4VM_WRITE(SEL4VM_ICH_AP1R(1), from.active_priorities1[1]);
    }
    if (words >= 4) {
        SEL4VM_WRITE(SEL4VM_ICH_AP0R(2), from.active_priorities0[2]);
        SEL4VM_WRITE(SEL4VM_ICH_AP1R(2), from.active_priorities1[2]);
        SEL4VM_WRITE(SEL4VM_ICH_AP0R(3), from.active_priorities0[3]);
        SEL4VM_WRITE(SEL4VM_ICH_AP1R(3), from.active_priorities1[3]);
    }
}

/// Calls it with 0, 1, ... as constants, `count` of them.
template <class Function>
void for_each_list_register(unsigned count, Function function) {
    [&]<usize... I>(std::index_sequence<I...>) {
        static_cast<void>(((I < count && (function(std::integral_constant<unsigned, I>{}), true)) && ...));
    }
    (std::make_index_sequence<VirtualInterfaceState::kMaxListRegisters>{});
}

} // namespace

VirtualInterface::VirtualInterface(GicVersion version, Mmio gich) : gich_(gich), version_(version) {
    // Numbers in VTR are one less than what they count.
    if (version_ == GicVersion::v3) {
        const IchVtrEl2 vtr{SEL4VM_READ(SEL4VM_ICH_VTR)};
        count_ = vtr.get<IchVtrEl2::ListRegs>() + 1u;
        priority_bits_ = vtr.get<IchVtrEl2::PriorityBits>() + 1u;
        can_trap_dir_ = vtr.get<IchVtrEl2::Tds>();
        preemption_bits_ = vtr.get<IchVtrEl2::PreemptionBits>() + 1u;
        active_priority_words_ = preemption_bits_ >= 7 ? 4 : preemption_bits_ == 6 ? 2 : 1;
    } else {
        count_ = GichVtr{gich_.read32(gich::kVtr)}.get<GichVtr::ListRegs>() + 1u;
    }
    if (count_ > VirtualInterfaceState::kMaxListRegisters)
        count_ = VirtualInterfaceState::kMaxListRegisters;
}

void VirtualInterface::initialise() const {
    if (version_ == GicVersion::v3) {
        // SRE, DFB, DIB: system registers only. Enable stays clear, so a guest's accesses to ICC_SRE_EL1 trap.
        SEL4VM_WRITE(SEL4VM_ICC_SRE_EL2, 7);
        isb();
        SEL4VM_WRITE(SEL4VM_ICC_SRE_EL1, 7);
        isb();
    }
    load(VirtualInterfaceState{});
}

void VirtualInterface::close_system_registers() {
    // Without SRE they are undefined at EL1, and without Enable ICC_SRE_EL1 itself traps.
    SEL4VM_WRITE(SEL4VM_ICC_SRE_EL1, 0);
    isb();
    SEL4VM_WRITE(SEL4VM_ICC_SRE_EL2, 0);
    isb();
}

VirtualInterfaceState VirtualInterface::reset_state() const {
    VirtualInterfaceState state;
    state.control = kEnable;
    return state;
}

void VirtualInterface::save(VirtualInterfaceState &to) const {
    to.control = control();
    to.machine_control = machine_control();
    save_active_priorities(to);
    if (version_ == GicVersion::v3)
        for_each_list_register(count_, [&](auto i) { to.list[i] = read_ich_lr(i); });
    else
        for_each_list_register(count_, [&](auto i) { to.list[i] = gich_.read32(gich::kLr + 4 * i); });
}

void VirtualInterface::save_active_priorities(VirtualInterfaceState &to) const {
    if (version_ == GicVersion::v3)
        read_active_priorities(to, active_priority_words_);
    else
        to.active_priorities0[0] = gich_.read32(gich::kApr);
}

// IHI 0048B and 0069, "Priority grouping", "Active priorities": one bit for each preemption level, made of the bits of the priority
// above the binary point of the group. Group 1 has its own binary point, one higher for the same split, unless CBPR is set.
[[gnu::cold]] bool VirtualInterface::priority_runs(const VirtualInterfaceState &state, u32 machine_control, u8 priority,
                                                   bool group1) const {
    const bool own_point = group1 && (machine_control >> 4 & 1) == 0;
    const u32 point = own_point ? machine_control >> 18 & 7 : machine_control >> 21 & 7;
    const u32 lowest = own_point ? point : point + 1;
    const u32 level = (priority & ~((u32{1} << lowest) - 1) & 0xff) >> (8 - preemption_bits_);
    // GICv2 has one set of active priorities for both groups.
    const auto &active = group1 && version_ == GicVersion::v3 ? state.active_priorities1 : state.active_priorities0;
    return (active[level / 32] >> (level % 32) & 1) != 0;
}

void VirtualInterface::load(const VirtualInterfaceState &from) const {
    if (version_ == GicVersion::v3) {
        for_each_list_register(count_, [&](auto i) { write_ich_lr(i, from.list[i]); });
        load_active_priorities(from, active_priority_words_);
        SEL4VM_WRITE(SEL4VM_ICH_VMCR, from.machine_control);
        SEL4VM_WRITE(SEL4VM_ICH_HCR, from.control);
    } else {
        for_each_list_register(count_,
                               [&](auto i) { gich_.write32(gich::kLr + 4 * i, static_cast<u32>(from.list[i])); });
        gich_.write32(gich::kApr, from.active_priorities0[0]);
        gich_.write32(gich::kVmcr, from.machine_control);
        gich_.write32(gich::kHcr, from.control);
    }
}

u32 VirtualInterface::control() const {
    return version_ == GicVersion::v3 ? static_cast<u32>(SEL4VM_READ(SEL4VM_ICH_HCR)) : gich_.read32(gich::kHcr);
}

void VirtualInterface::set_control(u32 value) const {
    if (version_ == GicVersion::v3)
        SEL4VM_WRITE(SEL4VM_ICH_HCR, value);
    else
        gich_.write32(gich::kHcr, value);
}

u32 VirtualInterface::machine_control() const {
    return version_ == GicVersion::v3 ? static_cast<u32>(SEL4VM_READ(SEL4VM_ICH_VMCR)) : gich_.read32(gich::kVmcr);
}

void VirtualInterface::set_machine_control(u32 value) const {
    if (version_ == GicVersion::v3)
        SEL4VM_WRITE(SEL4VM_ICH_VMCR, value);
    else
        gich_.write32(gich::kVmcr, value);
}

} // namespace sel4vm::el2
