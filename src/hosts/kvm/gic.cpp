// SPDX-License-Identifier: BSD-2-Clause
//
// Registers are written as the kernel's documents of the devices say (Documentation/virt/kvm/devices/arm-vgic*.rst): a write of ISPENDR sets the
// whole state, clears are as a guest's, and addresses carry the vCPU in their upper half.
#include <hosts/kvm/gic.hpp>

#include <hosts/kvm/arm64_abi.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/assert.hpp>

namespace sel4vm::kvm {

namespace gicd = aarch64::gicd;
namespace gicr = aarch64::gicr;
namespace gicc = aarch64::gicc;
namespace sysreg = aarch64::sysreg;

namespace {

constexpr u32 kAll = ~u32{0};

u32 type_of(GicVersion version) {
    return version == GicVersion::v2 ? u32{KVM_DEV_TYPE_ARM_VGIC_V2} : u32{KVM_DEV_TYPE_ARM_VGIC_V3};
}

} // namespace

bool Gic::is_available(const File &vm, GicVersion version) {
    kvm_create_device request{type_of(version), 0, KVM_CREATE_DEVICE_TEST};
    return vm.request_with(KVM_CREATE_DEVICE, request).has_value();
}

Status<HostError> Gic::create(GicVersion version) {
    kvm_create_device request{type_of(version), 0, 0};
    SEL4VM_TRY(vm_.request_with(KVM_CREATE_DEVICE, request));
    device_ = File{static_cast<int>(request.fd)};
    version_ = version;
    return Ok{};
}

Status<HostError> Gic::set(u32 group, u64 what, u64 value) {
    // SAFETY: the kernel takes the address of the value as a number.
    kvm_device_attr attribute{0, group, what, reinterpret_cast<u64>(&value)};
    SEL4VM_TRY(device_.request_with(KVM_SET_DEVICE_ATTR, attribute));
    return Ok{};
}

Status<HostError> Gic::set_word(u32 group, u64 what, u32 value) {
    // SAFETY: as above.
    kvm_device_attr attribute{0, group, what, reinterpret_cast<u64>(&value)};
    SEL4VM_TRY(device_.request_with(KVM_SET_DEVICE_ATTR, attribute));
    return Ok{};
}

Status<HostError> Gic::init(const GicLayout &layout, u32 vcpu_count) {
    SEL4VM_TRY(set_word(abi::kGicInterrupts, 0, aarch64::kFirstSpi + layout.spi_count));
    if (version_ == GicVersion::v2) {
        SEL4VM_TRY(set(abi::kGicAddresses, abi::kGicV2Distributor, layout.distributor.value()));
        SEL4VM_TRY(set(abi::kGicAddresses, abi::kGicV2CpuInterface, layout.other.value()));
    } else {
        SEL4VM_TRY(set(abi::kGicAddresses, abi::kGicV3Distributor, layout.distributor.value()));
        SEL4VM_TRY(set(abi::kGicAddresses, abi::kGicV3Redistributors, layout.other.value()));
    }
    SEL4VM_TRY(set(abi::kGicControl, abi::kGicControlInit, 0));
    spi_count_ = layout.spi_count;
    vcpu_count_ = vcpu_count;
    return Ok{};
}

// ---------------------------------------------------------------- lines

void Gic::write_line(u32 line, bool high) {
    kvm_irq_level request{{line}, high ? 1u : 0u};
    // The number was checked by whoever made the line, and there is no other reason to refuse.
    const auto told = vm_.request_with(KVM_IRQ_LINE, request);
    SEL4VM_ASSERT(told);
}

void Gic::set_level(u32 intid, bool high) { write_line(abi::shared_line(intid), high); }

void Gic::set_private_level(u32 vcpu, u32 intid, bool high) { write_line(abi::private_line(vcpu, intid), high); }

// ---------------------------------------------------------------- reset

void Gic::reset_distributor() {
    const auto write = [&](u32 offset, u32 value) {
        static_cast<void>(set_word(abi::kGicDistributorRegisters, offset, value));
    };
    write(gicd::kCtlr, 0);
    const u32 limit = aarch64::kFirstSpi + spi_count_;
    for (u32 n = 1; n < limit / 32; ++n) { // the first of each are private
        write(gicd::kIcenabler + 4 * n, kAll);
        write(gicd::kIspendr + 4 * n, 0);
        write(gicd::kIcactiver + 4 * n, kAll);
        write(gicd::kIgroupr + 4 * n, version_ == GicVersion::v2 ? 0 : kAll);
    }
    for (u32 intid = aarch64::kFirstSpi; intid < limit; intid += 4) {
        write(gicd::kIpriorityr + intid, 0);
        if (version_ == GicVersion::v2)
            write(gicd::kItargetsr + intid, 0);
    }
    for (u32 n = 2; n < limit / 16; ++n)
        write(gicd::kIcfgr + 4 * n, 0);
    for (u32 intid = aarch64::kFirstSpi; version_ == GicVersion::v3 && intid < limit; ++intid) {
        write(gicd::kIrouter + 8 * intid, 0);
        write(gicd::kIrouter + 8 * intid + 4, 0);
    }
}

void Gic::reset_private(u32 vcpu) {
    // GICv2 has these in the distributor, banked by the vCPU's number; GICv3 in its redistributor, which is named by its affinity.
    const bool v2 = version_ == GicVersion::v2;
    const u64 who = u64{v2 ? vcpu : aarch64::affinity_of_vcpu(vcpu)} << 32;
    const u32 group = v2 ? abi::kGicDistributorRegisters : abi::kGicRedistributorRegisters;
    const u32 frame = v2 ? 0 : static_cast<u32>(gicr::kFrameBytes);
    const auto write = [&](u32 offset, u32 value) {
        static_cast<void>(set_word(group, who | (frame + offset), value));
    };
    write(gicd::kIcenabler, kAll);
    write(gicd::kIspendr, 0);
    write(gicd::kIcactiver, kAll);
    for (u32 intid = 0; intid < aarch64::kFirstSpi; intid += 4)
        write(gicd::kIpriorityr + intid, 0);
    write(gicd::kIcfgr + 4, 0);
}

void Gic::reset_cpu_interface(u32 vcpu) {
    if (version_ == GicVersion::v2) {
        const u64 who = u64{vcpu} << 32;
        for (const u32 offset : {gicc::kCtlr, gicc::kPmr, gicc::kBpr, gicc::kAbpr, gicc::kApr})
            static_cast<void>(set_word(abi::kGicCpuRegisters, who | offset, 0));
        return;
    }
    const u64 who = u64{aarch64::affinity_of_vcpu(vcpu)} << 32;
    for (const u32 id : {sysreg::kIccPmrEl1, sysreg::kIccBpr0El1, sysreg::kIccBpr1El1, sysreg::icc_ap0r_el1(0),
                         sysreg::icc_ap1r_el1(0), sysreg::kIccIgrpen0El1, sysreg::kIccIgrpen1El1})
        static_cast<void>(set(abi::kGicCpuSystemRegisters, who | id, 0));
}

// A register that this kernel does not let us write stays as the guest left it: a guest that starts writes them all.
void Gic::reset() {
    if (!is_ready())
        return;
    reset_distributor();
    for (u32 vcpu = 0; vcpu < vcpu_count_; ++vcpu) {
        reset_private(vcpu);
        reset_cpu_interface(vcpu);
    }
}

} // namespace sel4vm::kvm
