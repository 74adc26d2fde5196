// SPDX-License-Identifier: BSD-2-Clause
//
// What a guest sees in the CPU's identification registers: an allow-list over the host's values. A field that the list
// does not name reads as the architecture writes "absent", so a feature of a future CPU stays hidden until somebody has looked at it.
// This is what makes a guest the same on every host; it does not make hidden instructions trap (HCR_EL2 does).
#pragma once

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

/// The guest's interrupt controller as ID registers show it: v3 has the system register interface.
enum class GuestGic : u8 { v2, v3 };

/// The guest's value of a register of the ID group (is_id_group3). Zero for registers that are reserved today.
[[nodiscard]] u64 guest_id_register(u32 id, u64 host_value, GuestGic gic);

} // namespace sel4vm::aarch64
