// SPDX-License-Identifier: BSD-2-Clause
//
// Which CPU of the machine runs which vCPU: those that a VM's description names, or any. Each vCPU goes to the one that has the fewest of
// them, the lowest among equals; VMs that name CPUs come first, so that the others go where there is room. Pure.
#pragma once

#include <sel4vm/base/result.hpp>
#include <sel4vm/machine/description.hpp>
#include <sel4vm/vm/vm.hpp>

#include <array>

namespace sel4vm::machine {

struct CpuPlacement {
    /// By the VM's place in the description and the vCPU's number.
    std::array<std::array<u8, Vm::kMaxVcpus>, kMaxVms> cpu_of{};
    u64 used = 0; ///< bit n: CPU n has a vCPU
};

/// A VM names a CPU that is not there.
struct PlacementError {
    usize vm;
    u32 cpu;
};

/// `cpu_count`: 1 to kMaxCpus. The system was validated.
[[nodiscard]] Result<CpuPlacement, PlacementError> place_vcpus(const SystemDescription &system, u32 cpu_count);

} // namespace sel4vm::machine
