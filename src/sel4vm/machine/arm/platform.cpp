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
    case dev::GicError::lpis: return PlatformError::lpis;
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
    case PlatformError::lpis: return "the host cannot deliver the interrupts of an ITS";
    case PlatformError::abilities: return "the host's vCPUs differ in their interrupt hardware";
    case PlatformError::out_of_memory: return "the host has no memory left for it";
    case PlatformError::distributor_range: return "the distributor's range is taken";
    case PlatformError::redistributors_range:
    case PlatformError::more_redistributors_range: return "the redistributors' range is taken";
    case PlatformError::deactivation_range: return "the range of the CPU interface's second page is taken";
    case PlatformError::register_table: return "the table of system registers is full, or one of its own is taken";
    case PlatformError::call_table: return "the table of hypercalls is full, or one of its own is taken";
    }
    return "?";
}

std::optional<GicRanges> gic_ranges(const GicPlaces &places, u32 vcpu_count, DirPage dir_page) {
    const bool v2 = places.version == aarch64::GicVersion::v2;
    const bool own_page = v2 && dir_page == DirPage::software;
    const u32 here = vcpu_count < places.first_redistributors ? vcpu_count : places.first_redistributors;
    const auto first = GpaRange::make(places.distributor, v2 ? dev::DistributorV2::kBytes : dev::DistributorV3::kBytes);
    const auto all =
        GpaRange::make(places.other, v2 ? aarch64::gicc::kBytes : here * dev::Redistributors::kBytesPerCpu);
    if (!first || !all)
        return std::nullopt;
    GicRanges ranges{*first, *all};
    if (own_page) {
        ranges.other = *GpaRange::make(places.other, dev::Gic::kDeactivationOffset);
        ranges.deactivation =
            GpaRange::make(Gpa{places.other.value() + dev::Gic::kDeactivationOffset}, dev::Gic::kDeactivationBytes);
    }
    if (!v2 && here != vcpu_count) {
        ranges.more_redistributors =
            GpaRange::make(places.more_redistributors, (vcpu_count - here) * dev::Redistributors::kBytesPerCpu);
        if (!ranges.more_redistributors)
            return std::nullopt;
    }
    return ranges;
}

ArmPlatform::ArmPlatform(const ArmPlatformConfig &config, Clock &clock, Entropy &entropy)
    : clock_(clock), has_pmu_(config.pmu),
      id_registers_(version_of(config), config.pmu ? aarch64::GuestPmu::shown : aarch64::GuestPmu::hidden),
      trng_(entropy) {
    if (!config.gic)
        return;
    irqs_ = config.host.irq_router != nullptr ? config.host.irq_router : &gic_.emplace(*config.gic);
    if (config.physical_timer && !config.host.physical_timer)
        timer_config_ = dev::GenericTimerConfig{config.physical_timer_intid, 0, config.gic->locks};
}

Status<PlatformError> ArmPlatform::init(Allocator &allocator) {
    if (timer_config_)
        timer_.emplace(*irqs_, clock_, allocator, *timer_config_);
    if (has_pmu_)
        pmu_.emplace(*irqs_, allocator);
    if (!gic_)
        return Ok{};
    if (const auto ready = gic_->init(allocator); !ready)
        return Err{from(ready.error())};
    return Ok{};
}

Status<PlatformError> ArmPlatform::add_vcpu(Vcpu &vcpu, aarch64::ListRegisterPort *list_registers,
                                            aarch64::TimerPort *timer, TimeoutQueue &timeouts, aarch64::PmuPort *pmu) {
    if (gic_) {
        if (list_registers == nullptr || timer == nullptr)
            return Err{PlatformError::list_registers};
        if (const auto attached = gic_->attach(vcpu, *list_registers, *timer); !attached)
            return Err{from(attached.error())};
    }
    if ((timer_ && !timer_->add_vcpu(timeouts)) || (pmu_ && !pmu_->add_vcpu(*pmu)))
        return Err{PlatformError::out_of_memory};
    return Ok{};
}

Status<PlatformError> ArmPlatform::connect_gic(Vm &vm, const GicRanges &ranges) {
    if (!vm.attach(ranges.distributor, gic_->distributor()))
        return Err{PlatformError::distributor_range};
    if (gic_->version() == aarch64::GicVersion::v3) {
        if (!vm.attach(ranges.other, gic_->redistributors()))
            return Err{PlatformError::redistributors_range};
        if (ranges.more_redistributors && !vm.attach(*ranges.more_redistributors, gic_->more_redistributors()))
            return Err{PlatformError::more_redistributors_range};
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
    if ((timer_ && !timer_->register_all(registers)) || (pmu_ && !pmu_->register_all(registers)) ||
        !id_registers_.register_all(registers) || !debug_registers_.register_all(registers) ||
        !ignored_registers_.register_all(registers))
        return Err{PlatformError::register_table};
    if (!psci_.register_all(calls) || !pv_time_.register_all(calls) || !smccc_.register_all(calls) ||
        !trng_.register_all(calls))
        return Err{PlatformError::call_table};
    return Ok{};
}

} // namespace sel4vm::machine
