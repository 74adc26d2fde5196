// SPDX-License-Identifier: BSD-2-Clause
//
// Which affinity each vCPU of a guest has, and back: the one rule for MPIDR_EL1, the device tree, PSCI and the interrupt controllers.
// Aff0 counts to 16 and then Aff1 goes on, because a GICv3's SGI registers address sixteen at once. With a GICv2, which has 8 CPUs at
// most, it is the number itself. Affinities are in MPIDR_EL1's layout (Aff3 in bits 39:32, then Aff2, Aff1, Aff0 in 23:0), all other bits zero.
#pragma once

#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/base/types.hpp>

#include <optional>

namespace sel4vm::aarch64 {

inline constexpr u32 kVcpusPerCluster = 16;
[[nodiscard]] constexpr u32 affinity_of_vcpu(u32 index) {
    return (index / kVcpusPerCluster & 0xff) << 8 | index % kVcpusPerCluster;
}

/// The vCPU with exactly this affinity among the first `count`.
[[nodiscard]] constexpr std::optional<u32> vcpu_of_affinity(u64 affinity, usize count) {
    const MpidrEl1 fields{affinity};
    const u32 index = u32{fields.get<MpidrEl1::Aff1>()} * kVcpusPerCluster + fields.get<MpidrEl1::Aff0>();
    if (index >= count || affinity_of_vcpu(index) != affinity)
        return std::nullopt;
    return index;
}

/// The affinity fields from `level` (0 to 3) upwards, as a mask.
[[nodiscard]] constexpr u64 affinity_mask_from_level(unsigned level) {
    u64 mask = MpidrEl1::Aff3::mask;
    if (level < 3)
        mask |= MpidrEl1::Aff2::mask;
    if (level < 2)
        mask |= MpidrEl1::Aff1::mask;
    if (level < 1)
        mask |= MpidrEl1::Aff0::mask;
    return mask;
}

} // namespace sel4vm::aarch64
