// SPDX-License-Identifier: BSD-2-Clause
//
// The CPU's own identification registers by number, for whoever decides what a guest may know of them.
#pragma once

#include <hosts/el2/portable/registers/cpu_features.hpp>

#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

/// The value in hardware of a register of the space op0 = 3, op1 = 0, CRn = 0, CRm = 1 to 7; ones that this CPU does not
/// have read as zero. `id` is aarch64::sysreg_id's.
[[nodiscard]] u64 read_id_register(u32 id);
/// What this CPU has.
[[nodiscard]] CpuFeatures read_cpu_features();

} // namespace sel4vm::el2
