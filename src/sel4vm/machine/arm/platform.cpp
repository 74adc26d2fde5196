// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/arm/platform.hpp>

#include <sel4vm/base/assert.hpp>

namespace sel4vm::machine {

namespace {

PlatformError from(dev::GicError error) {
    switch (error) {
    case dev::GicError::vcpu_count: return PlatformError::vcpu_count;
    case dev::GicError::spi_count: return PlatformError::spi_count;
    case dev::GicError::intid_range: return PlatformError::intid_range;
    case dev::GicError::list_registers: return PlatformError::list_registers;
    case dev::GicError::abilities: return PlatformError::abilities;
    case dev::GicError::out_of_memory: break;
    }
    return PlatformError::out_of_memory;
}

/// Without a GIC, as with GICv2, there is no CPU interface in system registers.
aarch64::GicVersion version_of(const ArmPlatformConfig &config) {
    return config.gic ? config.gic->version : aarch64::GicVersion::v2;
}

} // namespace

const char *to_string(PlatformError error) {
    switch (error) {
    case PlatformError::vcpu_count: return "this version cannot have so many vCPUs";
    case PlatformError::spi_count: return "too many shared interrupts";
    case PlatformError::intid_range: return "the host cannot deliver so many interrupts";
    case PlatformError::list_registers: return "the host has no usable list registers";
    case PlatformError::abilities: return "the host's vCPUs differ in their interrupt hardware";
    case PlatformError::out_of_memory: return "the host has no memory left for it";
    case PlatformError::distributor_range: return "the distributor's range is taken";
    case PlatformError::redistributors_range: return "the redistributors' range is taken";
    case PlatformError::deactivation_range: return "the range of the CPU interface's second page is taken";
    case PlatformError::register_table: return "the table of system registers is full, or one of its own is taken";
    case PlatformError::call_table: return "the table of hypercalls is full, or one of its own is taken";
    }
    return "?";
}

std::optional<GicRanges> gic_ranges(aarch64::GicVersion version, Gpa distributor, Gpa other, usize vcpu_count,
                                    DirPage dir_page) {
    const bool v2 = version == aarch64::GicVersion::v2;
    const bool own_page = v2 && dir_page == DirPage::software;
    const auto first = GpaRange::make(distributor, v2 ? dev::DistributorV2::kBytes : dev::DistributorV3::kBytes);
    const auto all = GpaRange::make(other, v2 ? aarch64::gicc::kBytes : vcpu_count * dev::Redistributors::kBytesPerCpu);
    if (!first || !all)
        return std::nullopt;
    if (!own_page)
        return GicRanges{*first, *all};
    return GicRanges{*first, *GpaRange::make(other, dev::Gic::kDeactivationOffset),
                     *GpaRange::make(Gpa{other.value() + dev::Gic::kDeactivationOffset}, dev::Gic::kDeactivationBytes)};
}

ArmPlatform::ArmPlatform(const ArmPlatformConfig &config, Clock &clock, Entropy &entropy)
    : id_registers_(version_of(config)), trng_(entropy) {
    if (!config.gic)
        return;
    irqs_ = config.host.irq_router != nullptr ? config.host.irq_router : &gic_.emplace(*config.gic);
    if (config.physical_timer && !config.host.physical_timer)
        timer_.emplace(*irqs_, clock, dev::GenericTimerConfig{config.physical_timer_intid, 0, config.gic->locks});
}

Status<PlatformError> ArmPlatform::init(Allocator &allocator) {
    if (!gic_)
        return Ok{};
    if (const auto ready = gic_->init(allocator); !ready)
        return Err{from(ready.error())};
    return Ok{};
}

Status<PlatformError> ArmPlatform::add_vcpu(Vcpu &vcpu, aarch64::ListRegisterPort *list_registers,
                                            aarch64::TimerPort *timer, TimeoutQueue &timeouts) {
    if (gic_) {
        if (list_registers == nullptr || timer == nullptr)
            return Err{PlatformError::list_registers};
        if (const auto attached = gic_->attach(vcpu, *list_registers, *timer); !attached)
            return Err{from(attached.error())};
    }
    if (timer_ && !timer_->add_vcpu(timeouts))
        return Err{PlatformError::vcpu_count};
    return Ok{};
}

Status<PlatformError> ArmPlatform::connect_gic(Vm &vm, const GicRanges &ranges) {
    if (!vm.attach(ranges.distributor, gic_->distributor()))
        return Err{PlatformError::distributor_range};
    if (gic_->version() == aarch64::GicVersion::v3) {
        if (!vm.attach(ranges.other, gic_->redistributors()))
            return Err{PlatformError::redistributors_range};
        if (!gic_->register_all(vm.system_registers()))
            return Err{PlatformError::register_table};
    }
    if (ranges.deactivation && !vm.attach(*ranges.deactivation, gic_->deactivation()))
        return Err{PlatformError::deactivation_range};
    return Ok{};
}

Status<PlatformError> ArmPlatform::connect(Vm &vm, HypercallTable &calls, const std::optional<GicRanges> &ranges) {
    if (gic_) {
        SEL4VM_ASSERT(ranges.has_value());
        SEL4VM_TRY(connect_gic(vm, *ranges));
    }
    if (irqs_ != nullptr)
        vm.set_interrupts(*irqs_, gic());
    SystemRegisterTable &registers = vm.system_registers();
    if ((timer_ && !timer_->register_all(registers)) || !id_registers_.register_all(registers) ||
        !debug_registers_.register_all(registers) || !ignored_registers_.register_all(registers))
        return Err{PlatformError::register_table};
    if (!psci_.register_all(calls) || !smccc_.register_all(calls) || !trng_.register_all(calls))
        return Err{PlatformError::call_table};
    return Ok{};
}

} // namespace sel4vm::machine
