// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/capi/services.hpp>

#include <sel4vm/base/assert.hpp>
#include <sel4vm/capi/machine.hpp>
#include <sel4vm/machine/description.hpp>

namespace sel4vm::capi {

namespace {

constexpr u32 kDefaultSpis = 224;
constexpr u64 kFrameAlignment = 0x1'0000;

bool is_v2(const std::optional<vm_vgic_config_t> &config) { return !config || config->version == 2; }

dev::GicConfig core_config(const vm_vgic_config_t &config, usize vcpu_count) {
    dev::GicConfig core;
    core.version = config.version == 2 ? dev::GicVersion::v2 : dev::GicVersion::v3;
    core.vcpu_count = static_cast<u32>(vcpu_count);
    core.spi_count = config.spi_count;
    return core;
}

} // namespace

Result<vm_vgic_config_t, const char *> complete_gic_config(const vm_vgic_config_t &wanted, const GicSupport &support) {
    vm_vgic_config_t config = wanted;
    if (config.version == 0)
        config.version = support.v2 ? 2 : 3;
    if (config.version != 2 && config.version != 3)
        return Err{"there are versions 2 and 3 only"};
    const bool v2 = config.version == 2;
    if (!(v2 ? support.v2 && support.cpu_interface.has_value() : support.v3))
        return Err{"this host's interrupt hardware cannot run that version"};
    if (config.spi_count == 0)
        config.spi_count = kDefaultSpis;
    if (config.spi_count > machine::kMaxSpis || config.spi_count % 32 != 0)
        return Err{"shared interrupts come in multiples of 32, and at most 960"};
    if (config.distributor == 0)
        config.distributor = support.distributor.value();
    if (v2 && config.cpu_interface == 0)
        config.cpu_interface = support.cpu_interface_at.value();
    if (!v2 && config.redistributor == 0)
        config.redistributor = support.redistributors.value();
    if (v2)
        config.redistributor = 0;
    else
        config.cpu_interface = 0;
    return config;
}

Result<GicRanges, const char *> gic_ranges(const vm_vgic_config_t &config, const GicSupport &support,
                                           usize vcpu_count) {
    const bool v2 = config.version == 2;
    const u64 distributor_bytes = v2 ? dev::DistributorV2::kBytes : dev::DistributorV3::kBytes;
    const auto distributor = GpaRange::make(Gpa{config.distributor}, distributor_bytes);
    const bool own_deactivation = v2 && support.own_deactivation;
    const u64 interface_bytes = own_deactivation ? dev::Gic::kDeactivationOffset : aarch64::gicc::kBytes;
    const auto other = v2 ? GpaRange::make(Gpa{config.cpu_interface}, interface_bytes)
                          : GpaRange::make(Gpa{config.redistributor}, vcpu_count * dev::Redistributors::kBytesPerCpu);
    if (!distributor || !other)
        return Err{"a range wraps"};
    std::optional<GpaRange> deactivation;
    if (own_deactivation) {
        const auto page =
            GpaRange::make(Gpa{config.cpu_interface + dev::Gic::kDeactivationOffset}, dev::Gic::kDeactivationBytes);
        if (!page)
            return Err{"a range wraps"};
        deactivation = *page;
    }
    if (!is_aligned(config.distributor, v2 ? kPageBytes : kFrameAlignment) ||
        !is_aligned(other->base().value(), v2 ? kPageBytes : kFrameAlignment))
        return Err{"a range is not aligned"};
    return GicRanges{*distributor, *other, deactivation};
}

Services::Services(Binding &binding, usize vcpu_count, const std::optional<vm_vgic_config_t> &gic)
    : binding_(binding), config_(gic), id_registers_(is_v2(gic) ? aarch64::GicVersion::v2 : aarch64::GicVersion::v3),
      trng_(binding.entropy()) {
    if (config_)
        gic_.emplace(core_config(*config_, vcpu_count));
}

const char *Services::connect_gic(Machine &machine) {
    Vm &vm = machine.vm();
    const auto ranges = gic_ranges(*config_, binding_.gic(), vm.vcpu_count());
    SEL4VM_ASSERT(ranges); // it was chosen with room for as many vCPUs as there can be
    if (!gic_->init(binding_.allocator()))
        return "the interrupt controller could not be made: out of memory, or too many vCPUs for its version";
    for (usize i = 0; i < vm.vcpu_count(); ++i) {
        GuestVcpu &guest = machine.guest_vcpu(VcpuId{static_cast<u16>(i)});
        if (!gic_->attach(guest.core(), *guest.ports().list_registers, *guest.ports().timer))
            return "the host's interrupt hardware does not suit the interrupt controller";
    }
    machine.release_gic_ranges();
    if (!vm.attach(ranges->distributor, gic_->distributor()))
        return "the distributor's range is taken";
    if (config_->version == 3) {
        if (!vm.attach(ranges->other, gic_->redistributors()))
            return "the redistributors' range is taken";
        if (!gic_->register_all(vm.system_registers()))
            return "the interrupt controller's system registers are taken";
    }
    if (ranges->deactivation && !vm.attach(*ranges->deactivation, gic_->deactivation()))
        return "the range of the CPU interface's second page is taken";
    vm.set_irq_chip(&*gic_);
    return nullptr;
}

// Without a counter to compare with, the physical timer's registers are unknown ones.
const char *Services::connect_timer(Vm &vm, TimeoutQueue &timeouts) {
    if (binding_.clock().ticks_per_second() == 0) {
        binding_.log().line(LogLevel::warning, vm.name(),
                            "the host exports no counter: the guest has no physical timer, only the virtual one");
        return nullptr;
    }
    timer_.emplace(*gic_, binding_.clock());
    for (usize i = 0; i < vm.vcpu_count(); ++i) {
        if (!timer_->add_vcpu(timeouts))
            return "too many vCPUs";
    }
    return timer_->register_all(vm.system_registers()) ? nullptr : "the table of system registers is full";
}

const char *Services::connect(Machine &machine, TimeoutQueue &timeouts) {
    Vm &vm = machine.vm();
    if (gic_) {
        if (const char *why = connect_gic(machine))
            return why;
        if (const char *why = connect_timer(vm, timeouts))
            return why;
    }
    SystemRegisterTable &registers = vm.system_registers();
    if (!id_registers_.register_all(registers) || !debug_registers_.register_all(registers) ||
        !ignored_registers_.register_all(registers))
        return "the table of system registers is full";
    if (!psci_.register_all(calls_) || !smccc_.register_all(calls_) || !trng_.register_all(calls_))
        return "the table of hypercalls is full";
    return nullptr;
}

Answer Services::call(Vcpu &vcpu, const HypercallExit &exit) {
    HypercallHandler *handler = calls_.find(static_cast<u32>(exit.function));
    return handler == nullptr ? Answer::none() : handler->call(vcpu, exit);
}

} // namespace sel4vm::capi
