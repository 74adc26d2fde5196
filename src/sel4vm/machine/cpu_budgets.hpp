// SPDX-License-Identifier: BSD-2-Clause
//
// What the budgets of VMs come to on each CPU. A VM's budget is for all its CPUs together: each has the part of it that its vCPUs there
// are of all, so the whole is never more. Pure.
#pragma once

#include <sel4vm/machine/cpu_placement.hpp>
#include <sel4vm/machine/description.hpp>
#include <sel4vm/machine/validate.hpp>

#include <optional>

namespace sel4vm::machine {

/// How many of the VM's vCPUs are on a CPU.
[[nodiscard]] u32 vcpus_on(const SystemDescription &system, const CpuPlacement &placement, usize vm, u32 cpu);

/// The first CPU whose budgets are more than it has, as a problem of the last VM that adds to them. The VMs were validated.
[[nodiscard]] std::optional<Problem> find_excess(const SystemDescription &system, const CpuPlacement &placement);

} // namespace sel4vm::machine
