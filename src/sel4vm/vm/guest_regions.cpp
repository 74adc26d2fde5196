// SPDX-License-Identifier: BSD-2-Clause
//
// Making and removing regions of guest memory: how host blocks are chosen and mapped.
#include <sel4vm/vm/guest_memory.hpp>

#include <algorithm>
#include <array>

namespace sel4vm {

namespace {

RegionError from_host(HostError error) {
    switch (error.kind) {
    case HostErrorKind::out_of_memory: return RegionError::out_of_memory;
    case HostErrorKind::invalid: return RegionError::out_of_range;
    default: return RegionError::host_failed;
    }
}

/// The alignment that lets the host use its largest mappings: guest and host address agree in the low bits.
u64 best_alignment(u64 base, u64 size_bytes) {
    constexpr std::array<u64, 2> kBlocks = {kGiB, 2 * kMiB};
    for (const u64 block : kBlocks) {
        if (size_bytes >= block && is_aligned(base, block))
            return block;
    }
    return kPageBytes;
}

} // namespace

const char *to_string(RegionError error) {
    switch (error) {
    case RegionError::misaligned: return "start and size must be multiples of 4 KiB";
    case RegionError::overlap: return "it overlaps other memory, a device or a reservation";
    case RegionError::too_many: return "the VM has 32 regions of memory, or the host's memory is too scattered";
    case RegionError::out_of_memory: return "the host has not enough memory left";
    case RegionError::out_of_range: return "it is beyond the guest-physical addresses of this host";
    case RegionError::host_failed: return "the host refused it";
    }
    return "?";
}
static_assert(GuestMemory::kMaxRegions == 32, "the text above");

GuestMemory::~GuestMemory() {
    while (!regions_.empty())
        static_cast<void>(remove(regions_[0].range.base()));
}

bool GuestMemory::overlaps(GpaRange range) const {
    for (const RegionInfo &region : regions_) {
        if (region.range.overlaps(range))
            return true;
    }
    return false;
}

Status<RegionError> GuestMemory::check_new(GpaRange range) const {
    if (!range.is_aligned_to(kPageBytes))
        return Err{RegionError::misaligned};
    if (space_.address_bits() < 64 && range.end().value() > bit(space_.address_bits()))
        return Err{RegionError::out_of_range};
    if (overlaps(range))
        return Err{RegionError::overlap};
    if (regions_.full())
        return Err{RegionError::too_many};
    return Ok{};
}

void GuestMemory::insert_region(GpaRange range, RegionKind kind) {
    usize place = 0;
    while (place < regions_.size() && regions_[place].range.base() < range.base())
        ++place;
    SEL4VM_ASSERT(regions_.insert(place, RegionInfo{range, kind})); // not full: check_new()
}

Status<RegionError> GuestMemory::add(GpaRange range, RegionKind kind, Clearing clearing) {
    SEL4VM_TRY(check_new(range));
    if (const auto backed = back(range, kind, clearing); !backed) {
        drop_pieces(range);
        return Err{backed.error()};
    }
    insert_region(range, kind);
    return Ok{};
}

Status<RegionError> GuestMemory::adopt(GpaRange range, const RamBlock &block, RegionKind kind) {
    SEL4VM_ASSERT(block.size_bytes >= range.size());
    SEL4VM_TRY(check_new(range));
    SEL4VM_TRY(back_with(block, range, kind));
    insert_region(range, kind);
    return Ok{};
}

Status<RegionError> GuestMemory::back(GpaRange range, RegionKind kind, Clearing clearing) {
    // What is mapped while the guest runs may not run out of tables.
    if (kind == RegionKind::demand_ram || kind == RegionKind::rom_device) {
        if (const auto reserved = space_.reserve_tables(range); !reserved)
            return Err{from_host(reserved.error())};
    }
    // Demand RAM is cleared step by step when it is mapped.
    const Clearing now = kind == RegionKind::demand_ram ? Clearing::skip : clearing;
    u64 next = range.base().value();
    const u64 end = range.end().value();
    while (next < end) {
        u64 alignment = best_alignment(next, end - next);
        auto block = space_.allocate_ram(end - next, alignment, now);
        while (!block && alignment > kPageBytes) {
            alignment = alignment > 2 * kMiB ? 2 * kMiB : kPageBytes;
            block = space_.allocate_ram(end - next, alignment, now);
        }
        if (!block)
            return Err{from_host(block.error())};
        const u64 bytes = std::min(block->size_bytes, end - next);
        const auto part = GpaRange::make(Gpa{next}, bytes);
        if (const auto mapped = back_with(*block, *part, kind); !mapped) {
            space_.free_ram(*block);
            return Err{mapped.error()};
        }
        next += bytes;
    }
    return Ok{};
}

Status<RegionError> GuestMemory::back_with(RamBlock block, GpaRange part, RegionKind kind) {
    if (pieces_.full())
        return Err{RegionError::too_many};
    OwnedArray<std::atomic<u8>> steps;
    if (kind == RegionKind::demand_ram) {
        steps = OwnedArray<std::atomic<u8>>::make(allocator_, (part.size() + kStepBytes - 1) / kStepBytes);
        if (!steps)
            return Err{RegionError::out_of_memory};
        has_demand_ram_ = true;
    } else {
        const Protection protection = is_read_only(kind) ? Protection::read_execute : Protection::read_write_execute;
        if (const auto mapped = space_.map_ram(part, block, 0, protection); !mapped)
            return Err{from_host(mapped.error())};
    }
    usize place = 0;
    while (place < pieces_.size() && pieces_[place].range.base() < part.base())
        ++place;
    SEL4VM_ASSERT(pieces_.insert(place, Piece{part, kind, block, std::move(steps)})); // not full: checked above
    return Ok{};
}

void GuestMemory::drop_pieces(GpaRange range) {
    space_.unmap(range);
    for (usize i = pieces_.size(); i > 0; --i) {
        if (!range.contains(pieces_[i - 1].range))
            continue;
        if (!is_shared(pieces_[i - 1].kind))
            space_.free_ram(pieces_[i - 1].block);
        pieces_.erase(i - 1);
    }
}

GuestMemory::RegionInfo *GuestMemory::rom_device_at(Gpa base) {
    for (RegionInfo &region : regions_) {
        if (region.range.base() == base && region.kind == RegionKind::rom_device)
            return &region;
    }
    return nullptr;
}

bool GuestMemory::hide(Gpa base) {
    LockGuard guard(lock_);
    RegionInfo *const region = rom_device_at(base);
    if (region == nullptr)
        return false;
    if (!region->hidden)
        space_.unmap(region->range);
    region->hidden = true;
    return true;
}

bool GuestMemory::show(Gpa base) {
    LockGuard guard(lock_);
    RegionInfo *const region = rom_device_at(base);
    if (region == nullptr)
        return false;
    if (!region->hidden)
        return true;
    for (const Piece &piece : pieces_) {
        if (!region->range.contains(piece.range) ||
            space_.map_ram(piece.range, piece.block, 0, Protection::read_execute))
            continue;
        space_.unmap(region->range); // all or nothing
        return false;
    }
    region->hidden = false;
    return true;
}

bool GuestMemory::remove(Gpa base) {
    for (usize i = 0; i < regions_.size(); ++i) {
        if (regions_[i].range.base() != base)
            continue;
        drop_pieces(regions_[i].range);
        regions_.erase(i);
        return true;
    }
    return false;
}

} // namespace sel4vm
