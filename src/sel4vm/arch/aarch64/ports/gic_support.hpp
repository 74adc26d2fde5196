// SPDX-License-Identifier: BSD-2-Clause
//
// Which interrupt controllers a host's guests can have, and where they have them unless somebody chooses otherwise.
#pragma once

#include <sel4vm/base/types.hpp>

#include <optional>

namespace sel4vm::aarch64 {

struct GicSupport {
    bool v2 = false;
    bool v3 = false;
    Gpa distributor{0x0800'0000};
    Gpa cpu_interface_at{0x0801'0000};                    ///< GICv2
    Gpa redistributors{0x080a'0000};                      ///< GICv3
    std::optional<HostPhys> cpu_interface = std::nullopt; ///< GICv2: the hardware's GICV, mapped through
    /// GICv2: the software interrupt controller takes the page of GICC_DIR over, since list registers can be rewritten.
    bool own_deactivation = false;
    /// The host has a controller of its own for guests (GuestResources::make_gic), and with it timers and PSCI: there are no list registers,
    /// and all vCPUs are resumed at the start, those but the first to wait there for the guest's CPU_ON.
    bool own_controller = false;
};

} // namespace sel4vm::aarch64
