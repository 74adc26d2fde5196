// SPDX-License-Identifier: BSD-2-Clause
//
// How many CPUs the machine has that a system runs on: as many as its VMs name, unless somebody says.
#pragma once

#include <apps/sel4vm/system.hpp>

namespace sel4vm::cli {

/// One more than the highest that a VM names; 1 when none does.
[[nodiscard]] u32 machine_cpus(const System &system);
/// Notes where a VM names a CPU that the machine will not have.
void judge_machine_cpus(const System &system, Mistakes &mistakes);

} // namespace sel4vm::cli
