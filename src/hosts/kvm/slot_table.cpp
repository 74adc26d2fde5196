// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/slot_table.hpp>

#include <algorithm>

namespace sel4vm::kvm {

namespace {

/// There is no protection from execution below that of the guest's own tables.
bool is_read_only(Protection protection) {
    return protection == Protection::read_only || protection == Protection::read_execute;
}

GpaRange between(u64 first, u64 end) { return *GpaRange::make(Gpa{first}, end - first); }

} // namespace

SlotRequest SlotTable::request_for(const Slot &slot) {
    return {slot.number, slot.read_only ? u32{KVM_MEM_READONLY} : 0, slot.at.base().value(), slot.at.size(),
            slot.window};
}

u32 SlotTable::free_number() const {
    u32 number = 0;
    while (std::any_of(slots_.begin(), slots_.end(), [&](const Slot &slot) { return slot.number == number; }))
        ++number;
    return number;
}

Result<SlotRequest, HostError> SlotTable::add(GpaRange at, u64 window, Protection protection) {
    const auto place =
        std::find_if(slots_.begin(), slots_.end(), [&](const Slot &slot) { return slot.at.end() > at.base(); });
    if (place != slots_.end() && place->at.overlaps(at))
        return Err{HostError{HostErrorKind::invalid}};
    if (slots_.size() >= capacity_)
        return Err{HostError{HostErrorKind::out_of_memory}};
    const Slot slot{at, window, is_read_only(protection), free_number()};
    slots_.insert(place, slot);
    return request_for(slot);
}

void SlotTable::forget(const SlotRequest &request) {
    std::erase_if(slots_, [&](const Slot &slot) { return slot.number == request.slot; });
}

bool SlotTable::is_mapped(GpaRange at) const {
    u64 reached = at.base().value();
    for (const Slot &slot : slots_) {
        if (slot.at.contains(Gpa{reached}))
            reached = slot.at.end().value();
    }
    return reached >= at.end().value();
}

std::optional<u64> SlotTable::window_of(Gpa at, u64 size_bytes) const {
    std::optional<u64> window;
    u64 done = 0;
    for (const Slot &slot : slots_) {
        if (done >= size_bytes || !slot.at.contains(Gpa{at.value() + done}))
            continue;
        const u64 offset = slot.at.offset_of(Gpa{at.value() + done});
        if (!window)
            window = slot.window + offset;
        else if (slot.window + offset != *window + done)
            return std::nullopt;
        done += slot.at.size() - offset;
    }
    return done >= size_bytes ? window : std::nullopt;
}

/// Removes each slot that reaches into `at`, and makes anew what lies outside of it, and what is inside as `middle` says.
Result<std::vector<SlotRequest>, HostError> SlotTable::rewrite(GpaRange at, Middle middle, bool read_only) {
    std::vector<SlotRequest> removals;
    std::vector<Slot> kept;
    std::vector<Slot> pieces;
    for (const Slot &slot : slots_) {
        if (!slot.at.overlaps(at) || (middle == Middle::protected_ && slot.read_only == read_only)) {
            kept.push_back(slot);
            continue;
        }
        SlotRequest removal = request_for(slot);
        removal.memory_size = 0;
        removals.push_back(removal);
        const u64 first = slot.at.base().value();
        const u64 end = slot.at.end().value();
        const u64 inner_first = std::max(first, at.base().value());
        const u64 inner_end = std::min(end, at.end().value());
        if (first < inner_first)
            pieces.push_back({between(first, inner_first), slot.window, slot.read_only, 0});
        if (middle == Middle::protected_)
            pieces.push_back({between(inner_first, inner_end), slot.window + (inner_first - first), read_only, 0});
        if (inner_end < end)
            pieces.push_back({between(inner_end, end), slot.window + (inner_end - first), slot.read_only, 0});
    }
    if (kept.size() + pieces.size() > capacity_)
        return Err{HostError{HostErrorKind::out_of_memory}};

    std::vector<SlotRequest> requests = std::move(removals);
    slots_ = std::move(kept);
    for (Slot &piece : pieces) {
        piece.number = free_number();
        requests.push_back(request_for(piece));
        slots_.insert(std::find_if(slots_.begin(), slots_.end(),
                                   [&](const Slot &slot) { return slot.at.base() > piece.at.base(); }),
                      piece);
    }
    return requests;
}

Result<std::vector<SlotRequest>, HostError> SlotTable::remove(GpaRange at) {
    return rewrite(at, Middle::removed, false);
}

Result<std::vector<SlotRequest>, HostError> SlotTable::protect(GpaRange at, Protection protection) {
    if (!is_mapped(at))
        return Err{HostError{HostErrorKind::invalid}};
    return rewrite(at, Middle::protected_, is_read_only(protection));
}

} // namespace sel4vm::kvm
