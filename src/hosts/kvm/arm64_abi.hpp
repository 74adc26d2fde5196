// SPDX-License-Identifier: BSD-2-Clause
//
// KVM's binary interface of AArch64, as numbers of our own: <asm/kvm.h> has the build machine's architecture, and the tests of what needs no
// kernel run on any. Where it is the right one, the two are compared. (Linux, Documentation/virt/kvm/api.rst.)
#pragma once

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/types.hpp>

#include <cstddef>
#include <linux/kvm.h>
#include <optional>
#include <sys/ioctl.h>

namespace sel4vm::kvm::abi {

/// What a vCPU is made of (struct kvm_vcpu_init).
struct VcpuInit {
    u32 target;
    u32 features[7];
};
inline constexpr u32 kFeaturePoweredOff = 0; ///< it waits for PSCI CPU_ON
inline constexpr u32 kFeaturePsci = 2;       ///< PSCI 0.2 or later, by the kernel

/// Pending exceptions (struct kvm_vcpu_events).
struct VcpuEvents {
    u8 serror_pending;
    u8 serror_has_esr;
    u8 external_abort_pending;
    u8 reserved0[5];
    u64 serror_esr;
    u32 reserved1[12];
};

inline constexpr unsigned long kVcpuInit = _IOW(KVMIO, 0xae, VcpuInit);
inline constexpr unsigned long kPreferredTarget = _IOR(KVMIO, 0xaf, VcpuInit);
inline constexpr unsigned long kSetVcpuEvents = _IOW(KVMIO, 0xa0, VcpuEvents);

// KVM_SET_DEVICE_ATTR of an interrupt controller: groups, and the addresses in group 0.
inline constexpr u32 kGicAddresses = 0;
inline constexpr u32 kGicDistributorRegisters = 1;
inline constexpr u32 kGicCpuRegisters = 2;
inline constexpr u32 kGicInterrupts = 3;
inline constexpr u32 kGicControl = 4;
inline constexpr u32 kGicRedistributorRegisters = 5;
inline constexpr u32 kGicCpuSystemRegisters = 6;
inline constexpr u64 kGicControlInit = 0;
inline constexpr u64 kGicV2Distributor = 0;
inline constexpr u64 kGicV2CpuInterface = 1;
inline constexpr u64 kGicV3Distributor = 2;
inline constexpr u64 kGicV3Redistributors = 3;

// KVM_SET_DEVICE_ATTR of a vCPU: its timers' private interrupts.
inline constexpr u32 kTimerControl = 1;
inline constexpr u64 kTimerVirtual = 0;
inline constexpr u64 kTimerPhysical = 1;

// -- registers: names for KVM_GET_ONE_REG

/// A register of struct kvm_regs, by its place there in words of 32 bits.
[[nodiscard]] constexpr u64 core_register(u32 place) {
    return KVM_REG_ARM64 | KVM_REG_SIZE_U64 | u64{0x10} << 16 | place;
}
/// x0 to x30.
[[nodiscard]] constexpr u64 general_register(unsigned n) { return core_register(2 * n); }
inline constexpr u64 kSpEl0 = core_register(62);
inline constexpr u64 kPc = core_register(64);
inline constexpr u64 kPstate = core_register(66);
inline constexpr u64 kSpEl1 = core_register(68);
inline constexpr u64 kElrEl1 = core_register(70);
inline constexpr u64 kSpsrEl1 = core_register(72);

/// A system register whose name is its encoding.
[[nodiscard]] constexpr u64 encoded_register(u32 id) { return KVM_REG_ARM64 | KVM_REG_SIZE_U64 | u64{0x13} << 16 | id; }

/// KVM's name of a system register. No value for those that it has no name for: what an exit found in registers of EL2.
[[nodiscard]] constexpr std::optional<u64> system_register(u32 id) {
    namespace sysreg = aarch64::sysreg;
    switch (id) {
    case sysreg::kSpEl0: return kSpEl0;
    case sysreg::kSpEl1: return kSpEl1;
    case sysreg::kElrEl1: return kElrEl1;
    case sysreg::kSpsrEl1: return kSpsrEl1;
    case sysreg::kSpsrEl2: return kPstate; // the PSTATE that the vCPU goes on with
    case sysreg::kEsrEl2:
    case sysreg::kFarEl2: return std::nullopt;
    // KVM's names of these two are each other's encoding, for ever: its interface had them so first.
    case sysreg::kCntvCvalEl0: return encoded_register(sysreg::kCntvctEl0);
    case sysreg::kCntvctEl0: return encoded_register(aarch64::sysreg_id(3, 3, 14, 3, 2));
    default: return encoded_register(id);
    }
}

// -- interrupt lines: KVM_IRQ_LINE

[[nodiscard]] constexpr u32 shared_line(u32 intid) { return 1u << 24 | intid; }
[[nodiscard]] constexpr u32 private_line(u32 vcpu, u32 intid) {
    return (vcpu >> 8 & 0xf) << 28 | 2u << 24 | (vcpu & 0xff) << 16 | intid;
}

#ifdef __aarch64__
static_assert(sizeof(VcpuInit) == sizeof(kvm_vcpu_init) && sizeof(VcpuEvents) == sizeof(kvm_vcpu_events));
static_assert(offsetof(VcpuEvents, external_abort_pending) == offsetof(kvm_vcpu_events, exception.ext_dabt_pending));
static_assert(kVcpuInit == KVM_ARM_VCPU_INIT && kPreferredTarget == KVM_ARM_PREFERRED_TARGET &&
              kSetVcpuEvents == KVM_SET_VCPU_EVENTS);
static_assert(kFeaturePoweredOff == KVM_ARM_VCPU_POWER_OFF && kFeaturePsci == KVM_ARM_VCPU_PSCI_0_2);
static_assert(kGicAddresses == KVM_DEV_ARM_VGIC_GRP_ADDR &&
              kGicDistributorRegisters == KVM_DEV_ARM_VGIC_GRP_DIST_REGS &&
              kGicCpuRegisters == KVM_DEV_ARM_VGIC_GRP_CPU_REGS && kGicInterrupts == KVM_DEV_ARM_VGIC_GRP_NR_IRQS &&
              kGicControl == KVM_DEV_ARM_VGIC_GRP_CTRL &&
              kGicRedistributorRegisters == KVM_DEV_ARM_VGIC_GRP_REDIST_REGS &&
              kGicCpuSystemRegisters == KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS &&
              kGicControlInit == KVM_DEV_ARM_VGIC_CTRL_INIT);
static_assert(kGicV2Distributor == KVM_VGIC_V2_ADDR_TYPE_DIST && kGicV2CpuInterface == KVM_VGIC_V2_ADDR_TYPE_CPU &&
              kGicV3Distributor == KVM_VGIC_V3_ADDR_TYPE_DIST && kGicV3Redistributors == KVM_VGIC_V3_ADDR_TYPE_REDIST);
static_assert(kTimerControl == KVM_ARM_VCPU_TIMER_CTRL && kTimerVirtual == KVM_ARM_VCPU_TIMER_IRQ_VTIMER &&
              kTimerPhysical == KVM_ARM_VCPU_TIMER_IRQ_PTIMER);
static_assert(core_register(0) == (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE));
static_assert(general_register(30) == (core_register(0) | KVM_REG_ARM_CORE_REG(regs.regs[30])));
static_assert(kSpEl0 == (core_register(0) | KVM_REG_ARM_CORE_REG(regs.sp)) &&
              kPc == (core_register(0) | KVM_REG_ARM_CORE_REG(regs.pc)) &&
              kPstate == (core_register(0) | KVM_REG_ARM_CORE_REG(regs.pstate)) &&
              kSpEl1 == (core_register(0) | KVM_REG_ARM_CORE_REG(sp_el1)) &&
              kElrEl1 == (core_register(0) | KVM_REG_ARM_CORE_REG(elr_el1)) &&
              kSpsrEl1 == (core_register(0) | KVM_REG_ARM_CORE_REG(spsr[KVM_SPSR_EL1])));
static_assert(*system_register(aarch64::sysreg::kCntvCvalEl0) == KVM_REG_ARM_TIMER_CVAL &&
              *system_register(aarch64::sysreg::kCntvctEl0) == KVM_REG_ARM_TIMER_CNT &&
              *system_register(aarch64::sysreg::kCntvCtlEl0) == KVM_REG_ARM_TIMER_CTL);
static_assert(shared_line(33) == (KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | 33) &&
              private_line(257, 27) == (1u << KVM_ARM_IRQ_VCPU2_SHIFT | KVM_ARM_IRQ_TYPE_PPI << KVM_ARM_IRQ_TYPE_SHIFT |
                                        1u << KVM_ARM_IRQ_VCPU_SHIFT | 27));
#endif

} // namespace sel4vm::kvm::abi
