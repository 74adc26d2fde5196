// SPDX-License-Identifier: BSD-2-Clause
//
// The page in which a guest finds its vCPUs' stolen times (dev/arm/pv_time.hpp): read-only memory of its own, outside RAM, where the
// board has it too. Where the description has something else there, or the host does not count, the guest goes without.
#include <sel4vm/machine/arm/virt_machine.hpp>

namespace sel4vm::machine {

Status<BuildError> VirtMachine::make_pv_time() {
    if (!description_.pv_time || !vm_.vcpu(VcpuId{0}).port().times())
        return Ok{};
    const u64 size_bytes = align_up(description_.vcpu_count * dev::PvTime::kStructureBytes, kPageBytes).value_or(0);
    const auto place = GpaRange::make(kPvTimeBase, size_bytes);
    SEL4VM_ASSERT(place.has_value());
    const GpaRange range = *place;
    if (vm_.memory().overlaps(range) || vm_.map().overlaps(range))
        return Ok{};
    const auto block = host_.space.allocate_ram(size_bytes, kPageBytes, Clearing::cleared);
    if (!block || block->size_bytes < size_bytes)
        return Err{build_error("pv_time", "the host has no memory left for it")};
    if (!vm_.memory().adopt(range, *block, RegionKind::rom)) {
        host_.space.free_ram(*block);
        return Err{build_error("pv_time", "the host could not make the read-only memory for it")};
    }
    pv_time_ = block->window;
    platform_.offer_stolen_time(kPvTimeBase);
    return Ok{};
}

// From the first step of a boot on: every vCPU is stopped.
void VirtMachine::start_pv_time() {
    if (pv_time_ == nullptr)
        return;
    for (usize i = 0; i < vm_.vcpu_count(); ++i) {
        volatile u8 *const structure = pv_time_ + i * dev::PvTime::kStructureBytes;
        // SAFETY: a page of the host's own, so the place is aligned; the block lives as long as the VM's memory, and vCPUs stop before.
        auto *const nanoseconds = reinterpret_cast<volatile u64 *>(structure + dev::PvTime::kNanosecondsAt);
        static_cast<void>(vm_.vcpu(VcpuId{static_cast<u16>(i)}).port().publish_stolen_time(nanoseconds));
    }
}

} // namespace sel4vm::machine
