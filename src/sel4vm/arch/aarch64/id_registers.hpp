// SPDX-License-Identifier: BSD-2-Clause
//
// What a guest sees in the CPU's identification registers: an allow-list over the host's values. A field that the list
// does not name reads as the architecture writes "absent", so a feature of a future CPU stays hidden until somebody has looked at it.
// Only the instruction set and floating point of AArch32 (ID_ISAR0 to 4, MVFR0 to 2), which have nothing to hide, are passed on whole.
// What is hidden is not trapped here: HCR_EL2 and the other controls of a host do that, as far as they can.
#pragma once

#include <sel4vm/arch/aarch64/gic_version.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

/// Whether a guest has performance monitors.
enum class GuestPmu : u8 { hidden, shown };

/// The guest's value of a register of the ID group (is_id_group3). Zero for registers that are reserved today. `gic` is the guest's:
/// v3 has the system register interface. Performance monitors are shown up to FEAT_PMUv3p5.
[[nodiscard]] u64 guest_id_register(u32 id, u64 host_value, GicVersion gic, GuestPmu pmu = GuestPmu::hidden);

} // namespace sel4vm::aarch64
