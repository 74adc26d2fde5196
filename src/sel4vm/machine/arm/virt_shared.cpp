// SPDX-License-Identifier: BSD-2-Clause
//
// Memory that other VMs have, too, and its doorbells.
#include <sel4vm/machine/arm/virt_machine.hpp>

namespace sel4vm::machine {

Status<BuildError> VirtMachine::make_shared() {
    if (!description_.shared.empty())
        vm_.set_rung_by_others();
    for (const SharedRecord &record : description_.shared) {
        if (auto made = make_shared(record); !made)
            return made;
    }
    return Ok{};
}

Status<BuildError> VirtMachine::make_shared(const SharedRecord &record) {
    Text<80> key;
    key << "shared." << record.name;
    if (!record.base || !record.doorbell || !record.spi)
        return Err{build_error(key.view(), "it has no place")};
    if (host_.shared == nullptr)
        return Err{build_error(key.view(), to_string(SharedError::not_available))};
    auto joined = host_.shared->join(record.name, record.size_bytes);
    if (!joined)
        return Err{build_error(key.view(), to_string(joined.error()))};
    const SharedMemories::Member *const member = shared_members_.emplace_back(*std::move(joined));
    if (member == nullptr)
        return Err{build_error(key.view(), "too many shared memories")};

    const auto range = GpaRange::make(*record.base, record.size_bytes);
    const RegionKind kind = record.access == SharedAccess::read_only ? RegionKind::shared_rom : RegionKind::shared;
    const auto added = range ? vm_.adopt_memory(*range, member->block(), kind) : Err{RegionError::out_of_range};
    if (!added)
        return Err{build_error(key.view(), to_string(added.error()))};

    const u32 intid = aarch64::kFirstSpi + *record.spi;
    IrqRouter &irqs = *platform_.irqs();
    if (!irqs.has(intid))
        return Err{build_error(key.view(), "the interrupt controller has no such shared interrupt")};
    auto doorbell =
        Owned<dev::JoinedDoorbell>::make(host_.allocator, member->doorbells(), record.side, IrqLine{irqs, intid});
    if (!doorbell)
        return Err{build_error(key.view(), "the host has no memory left for its doorbell")};
    if (!doorbell->joined())
        return Err{build_error(key.view(), "another VM is at that side of it")};
    Owned<dev::JoinedDoorbell> &kept = *doorbells_.emplace_back(std::move(doorbell)); // as many as members
    const auto page = GpaRange::make(*record.doorbell, dev::Doorbell::kRangeBytes);
    if (!page || !vm_.attach(*page, kept->device()))
        return Err{build_error(key.view(), "its doorbell overlaps another range")};
    return Ok{};
}

} // namespace sel4vm::machine
