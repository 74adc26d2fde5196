// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/capi/ram_regions.hpp>

namespace sel4vm::capi {

namespace {

u64 end_of(const vm_ram_region &region) { return region.start + region.size; }

GpaRange range_of(const vm_ram_region &region) { return *GpaRange::make(Gpa{region.start}, region.size); }

} // namespace

bool RamRegions::add(GpaRange range) {
    usize place = 0;
    while (place < regions_.size() && regions_[place].start < range.base().value())
        ++place;
    if (!regions_.insert(place, vm_ram_region{range.base().value(), range.size(), 0}))
        return false;
    join_neighbours();
    return true;
}

bool RamRegions::mark(GpaRange range, RamUse use) {
    // At most the first and the last region are split.
    if (!regions_.reserve(2))
        return false;
    const int allocated = use == RamUse::allocated ? 1 : 0;
    for (usize i = 0; i < regions_.size(); ++i) {
        const vm_ram_region whole = regions_[i];
        if (whole.allocated == allocated || !range_of(whole).overlaps(range))
            continue;
        const u64 first = std::max<u64>(whole.start, range.base().value());
        const u64 last = std::min(end_of(whole), range.end().value());
        regions_[i] = {first, last - first, allocated};
        if (last < end_of(whole))
            SEL4VM_ASSERT(regions_.insert(i + 1, {last, end_of(whole) - last, whole.allocated}));
        if (first > whole.start)
            SEL4VM_ASSERT(regions_.insert(i, {whole.start, first - whole.start, whole.allocated}));
    }
    join_neighbours();
    return true;
}

std::optional<Gpa> RamRegions::allocate(u64 size_bytes) {
    for (const vm_ram_region &region : regions_) {
        if (region.allocated != 0 || region.size < size_bytes)
            continue;
        const Gpa at{region.start};
        const auto range = GpaRange::make(at, size_bytes);
        if (!range || !mark(*range, RamUse::allocated))
            return std::nullopt;
        return at;
    }
    return std::nullopt;
}

std::optional<GpaRange> RamRegions::largest_free() const {
    const vm_ram_region *best = nullptr;
    for (const vm_ram_region &region : regions_) {
        if (region.allocated == 0 && (best == nullptr || region.size > best->size))
            best = &region;
    }
    if (best == nullptr)
        return std::nullopt;
    return range_of(*best);
}

void RamRegions::join_neighbours() {
    for (usize i = 1; i < regions_.size();) {
        vm_ram_region &left = regions_[i - 1];
        const vm_ram_region &right = regions_[i];
        if (left.allocated == right.allocated && end_of(left) == right.start) {
            left.size += right.size;
            regions_.erase(i);
        } else {
            ++i;
        }
    }
    mem_.ram_regions = regions_.begin();
    mem_.num_ram_regions = static_cast<int>(regions_.size());
}

} // namespace sel4vm::capi
