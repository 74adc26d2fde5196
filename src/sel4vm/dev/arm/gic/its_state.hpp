// SPDX-License-Identifier: BSD-2-Clause
//
// What a guest can see of its ITS and of the LPI registers of its redistributors, as plain structs: what Its::save() fills and Its::restore()
// takes. What devices, events and collections are mapped to is in the guest's memory.
#pragma once

#include <sel4vm/dev/arm/gic/lpis.hpp>

#include <array>
#include <type_traits>

namespace sel4vm::dev {

struct ItsState {
    u64 command_queue = 0; ///< GITS_CBASER
    u64 devices = 0;       ///< GITS_BASER0
    u64 collections = 0;   ///< GITS_BASER1
    u64 configuration = 0; ///< GICR_PROPBASER, of all redistributors
    u32 written = 0;       ///< GITS_CWRITER.Offset
    u32 read = 0;          ///< GITS_CREADR.Offset
    u32 stalled = 0;       ///< GITS_CREADR.Stalled
    u32 enabled = 0;       ///< GITS_CTLR.Enabled
    friend bool operator==(const ItsState &, const ItsState &) = default;
};

struct LpiCpuState {
    u64 pending_table = 0; ///< GICR_PENDBASER
    u64 enabled = 0;       ///< GICR_CTLR.EnableLPIs
    friend bool operator==(const LpiCpuState &, const LpiCpuState &) = default;
};

/// All of it: about 34 KiB, not for the stack of a target. What a VM does not have is zero.
struct ItsSnapshot {
    ItsState its;
    std::array<LpiCpuState, kMaxGicCpus> cpus{};
    std::array<PendingLpis, kMaxGicCpus> pending{};
    friend bool operator==(const ItsSnapshot &, const ItsSnapshot &) = default;
};
static_assert(std::is_trivially_copyable_v<ItsSnapshot> && std::has_unique_object_representations_v<ItsSnapshot>);

} // namespace sel4vm::dev
