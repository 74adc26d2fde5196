// SPDX-License-Identifier: BSD-2-Clause
//
// What the library emulates for every guest of the C interface: the interrupt controller that the client asked for, the
// physical timer, trapped registers, firmware calls. Built when the VM first starts, because only then the number of its
// vCPUs is known.
#pragma once

#include <sel4vm/capi/binding.hpp>
#include <sel4vm/dev/arm/debug_registers.hpp>
#include <sel4vm/dev/arm/generic_timer.hpp>
#include <sel4vm/dev/arm/gic/gic.hpp>
#include <sel4vm/dev/arm/id_registers.hpp>
#include <sel4vm/dev/arm/ignored_registers.hpp>
#include <sel4vm/dev/arm/psci.hpp>
#include <sel4vm/dev/arm/smccc.hpp>
#include <sel4vm/dev/arm/trng.hpp>
#include <sel4vm/vm/vm.hpp>

#include <sel4vm/arch/vgic.h>

#include <optional>
#include <span>

namespace sel4vm::capi {

class Machine;

class Services {
public:
    /// `gic`: what was installed, if anything.
    Services(Binding &binding, usize vcpu_count, const std::optional<vm_vgic_config_t> &gic);
    Services(const Services &) = delete;
    Services &operator=(const Services &) = delete;

    /// Connects everything to the VM; nullptr, or why not, and then the VM cannot be started any more. Frees the ranges that
    /// were held for the GIC first.
    [[nodiscard]] const char *connect(Machine &machine, TimeoutQueue &timeouts);

    /// nullptr without an interrupt controller.
    [[nodiscard]] dev::Gic *gic() { return gic_ ? &*gic_ : nullptr; }
    /// PSCI and its like; kind none for calls that are none of them.
    [[nodiscard]] Answer call(Vcpu &vcpu, const HypercallExit &exit);

private:
    [[nodiscard]] const char *connect_gic(Machine &machine);
    [[nodiscard]] const char *connect_timer(Vm &vm, TimeoutQueue &timeouts);

    Binding &binding_;
    std::optional<vm_vgic_config_t> config_;
    std::optional<dev::Gic> gic_;
    std::optional<dev::GenericTimer> timer_;
    dev::IdRegisters id_registers_;
    dev::DebugRegisters debug_registers_;
    dev::IgnoredRegisters ignored_registers_;
    dev::Psci psci_;
    dev::Smccc smccc_;
    dev::Trng trng_;
    HypercallTable calls_;
};

/// The client's wishes with the host's defaults filled in; or why it cannot be.
[[nodiscard]] Result<vm_vgic_config_t, const char *> complete_gic_config(const vm_vgic_config_t &wanted,
                                                                         const GicSupport &support);
/// The guest-physical ranges it takes, for `vcpu_count` vCPUs.
struct GicRanges {
    GpaRange distributor;
    GpaRange other; ///< CPU interface as far as the hardware's own is mapped there, or redistributors
    std::optional<GpaRange> deactivation = std::nullopt; ///< page of GICC_DIR that the interrupt controller takes over
};
[[nodiscard]] Result<GicRanges, const char *> gic_ranges(const vm_vgic_config_t &config, const GicSupport &support,
                                                         usize vcpu_count);

} // namespace sel4vm::capi
