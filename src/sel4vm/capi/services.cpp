// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/capi/services.hpp>

#include <sel4vm/base/assert.hpp>
#include <sel4vm/capi/machine.hpp>
#include <sel4vm/machine/description.hpp>

namespace sel4vm::capi {

namespace {

constexpr u32 kDefaultSpis = 224;
constexpr u64 kFrameAlignment = 0x1'0000;

machine::GicVersion version_of(const vm_vgic_config_t &config) {
    return config.version == 2 ? machine::GicVersion::v2 : machine::GicVersion::v3;
}

machine::ArmPlatformConfig platform_config(const std::optional<vm_vgic_config_t> &gic, usize vcpu_count, Clock &clock) {
    machine::ArmPlatformConfig config;
    if (gic) {
        config.gic = dev::GicConfig{
            .version = version_of(*gic), .vcpu_count = static_cast<u32>(vcpu_count), .spi_count = gic->spi_count};
    }
    // Without a counter to compare with, the physical timer's registers are unknown ones.
    config.physical_timer = clock.ticks_per_second() != 0;
    return config;
}

} // namespace

Result<vm_vgic_config_t, const char *> complete_gic_config(const vm_vgic_config_t &wanted,
                                                           const aarch64::GicSupport &support) {
    if (support.own_controller)
        return Err{"this host has an interrupt controller of its own, which guests of the C interface cannot have"};
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

Result<machine::GicRanges, const char *> gic_ranges(const vm_vgic_config_t &config, const aarch64::GicSupport &support,
                                                    usize vcpu_count) {
    const bool v2 = config.version == 2;
    const auto ranges =
        machine::gic_ranges({.version = version_of(config),
                             .distributor = Gpa{config.distributor},
                             .other = Gpa{v2 ? config.cpu_interface : config.redistributor}},
                            static_cast<u32>(vcpu_count),
                            support.own_deactivation ? machine::DirPage::software : machine::DirPage::hardware);
    if (!ranges)
        return Err{"a range wraps"};
    if (!is_aligned(config.distributor, v2 ? kPageBytes : kFrameAlignment) ||
        !is_aligned(ranges->other.base().value(), v2 ? kPageBytes : kFrameAlignment))
        return Err{"a range is not aligned"};
    return *ranges;
}

Services::Services(aarch64::GuestResources &host, usize vcpu_count, const std::optional<vm_vgic_config_t> &gic)
    : host_(host), config_(gic),
      platform_(platform_config(gic, vcpu_count, host.clock()), host.clock(), host.entropy()) {}

const char *Services::connect(Machine &machine, TimeoutQueue &timeouts) {
    Vm &vm = machine.vm();
    std::optional<machine::GicRanges> ranges;
    if (config_) {
        const auto chosen = gic_ranges(*config_, host_.gic(), vm.vcpu_count());
        SEL4VM_ASSERT(chosen); // it was chosen with room for as many vCPUs as there can be
        ranges = *chosen;
        machine.release_gic_ranges();
        if (host_.clock().ticks_per_second() == 0)
            host_.log().line(LogLevel::warning, vm.name(),
                             "the host exports no counter: the guest has no physical timer, only the virtual one");
    }
    if (const auto ready = platform_.init(host_.allocator()); !ready)
        return to_string(ready.error());
    for (usize i = 0; i < vm.vcpu_count(); ++i) {
        GuestVcpu &guest = machine.guest_vcpu(VcpuId{static_cast<u16>(i)});
        if (const auto added =
                platform_.add_vcpu(guest.core(), guest.ports().list_registers, guest.ports().timer, timeouts);
            !added)
            return to_string(added.error());
    }
    const auto connected = platform_.connect(vm, calls_, ranges);
    return connected ? nullptr : to_string(connected.error());
}

Answer Services::call(Vcpu &vcpu, const HypercallExit &exit) {
    HypercallHandler *handler = calls_.find(exit.function);
    return handler == nullptr ? Answer::none() : handler->call(vcpu, exit);
}

} // namespace sel4vm::capi
