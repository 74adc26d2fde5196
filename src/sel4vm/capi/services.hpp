// SPDX-License-Identifier: BSD-2-Clause
//
// What the library emulates for every guest of the C interface: the platform (machine/arm), with the interrupt controller that the
// client asked for, and firmware calls behind the client's own handlers. Built when the VM first starts, because only then the number of its
// vCPUs is known.
#pragma once

#include <sel4vm/arch/aarch64/ports/guest_resources.hpp>
#include <sel4vm/machine/arm/platform.hpp>
#include <sel4vm/vm/vm.hpp>

#include <sel4vm/arch/vgic.h>

#include <optional>
#include <span>

namespace sel4vm::capi {

class Machine;

class Services {
public:
    /// `gic`: what was installed, if anything.
    Services(aarch64::GuestResources &host, usize vcpu_count, const std::optional<vm_vgic_config_t> &gic);
    Services(const Services &) = delete;
    Services &operator=(const Services &) = delete;

    /// Connects everything to the VM; nullptr, or why not, and then the VM cannot be started any more. Frees the ranges that
    /// were held for the GIC first.
    [[nodiscard]] const char *connect(Machine &machine, TimeoutQueue &timeouts);

    /// nullptr without an interrupt controller.
    [[nodiscard]] dev::Gic *gic() { return platform_.gic(); }
    /// PSCI and its like; kind none for calls that are none of them.
    [[nodiscard]] Answer call(Vcpu &vcpu, const HypercallExit &exit);

private:
    aarch64::GuestResources &host_;
    std::optional<vm_vgic_config_t> config_;
    machine::ArmPlatform platform_;
    HypercallTable calls_;
};

/// The client's wishes with the host's defaults filled in; or why it cannot be.
[[nodiscard]] Result<vm_vgic_config_t, const char *> complete_gic_config(const vm_vgic_config_t &wanted,
                                                                         const aarch64::GicSupport &support);
/// The guest-physical ranges it takes, for `vcpu_count` vCPUs.
[[nodiscard]] Result<machine::GicRanges, const char *> gic_ranges(const vm_vgic_config_t &config,
                                                                  const aarch64::GicSupport &support, usize vcpu_count);

} // namespace sel4vm::capi
