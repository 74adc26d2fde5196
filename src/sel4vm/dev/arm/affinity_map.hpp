// SPDX-License-Identifier: BSD-2-Clause
//
// Which vCPU belongs to an affinity that a guest names in a PSCI call. The rule is aarch64::affinity_of_vcpu()'s, as for the device tree
// and the CPUs' own MPIDR_EL1. Affinity is always in MPIDR_EL1's layout (Aff3 in bits 39:32, then Aff2, Aff1, Aff0 in 23:0), all other bits zero.
#pragma once

#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/base/types.hpp>

#include <optional>

namespace sel4vm::dev {

class AffinityMap {
public:
    enum class Layout : u8 {
        flat,           ///< Aff0 = n: GICv2, whose CPU interfaces are numbered 0 to 7
        clusters_of_16, ///< Aff0 = n % 16, Aff1 = n / 16: GICv3, whose SGI target lists hold 16
    };

    constexpr explicit AffinityMap(Layout layout) : layout_(layout) {}

    [[nodiscard]] constexpr u64 affinity_of(VcpuId id) const {
        return layout_ == Layout::flat ? id.value() & u64{0xff} : aarch64::affinity_of_vcpu(id.value());
    }
    /// The vCPU with exactly this affinity among the first `count`.
    [[nodiscard]] constexpr std::optional<VcpuId> find(u64 affinity, usize count) const {
        const u64 aff0 = affinity & 0xff;
        const u64 aff1 = affinity >> 8 & 0xff;
        const u64 n = layout_ == Layout::flat ? aff0 : aff1 * 16 + aff0;
        const VcpuId id{static_cast<u16>(n)};
        if (n >= count || affinity_of(id) != affinity)
            return std::nullopt;
        return id;
    }
    /// The affinity fields from `level` (0 to 3) upwards, as a mask.
    [[nodiscard]] static constexpr u64 mask_from_level(unsigned level) {
        using aarch64::MpidrEl1;
        u64 mask = MpidrEl1::Aff3::mask;
        if (level < 3)
            mask |= MpidrEl1::Aff2::mask;
        if (level < 2)
            mask |= MpidrEl1::Aff1::mask;
        if (level < 1)
            mask |= MpidrEl1::Aff0::mask;
        return mask;
    }

private:
    Layout layout_;
};

} // namespace sel4vm::dev
