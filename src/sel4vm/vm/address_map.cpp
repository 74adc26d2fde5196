// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/address_map.hpp>

#include <memory>

namespace sel4vm {

Status<AttachError> AddressMap::attach(GpaRange range, MmioDevice &device) { return insert(range, &device, nullptr); }

Status<AttachError> AddressMap::reserve(GpaRange range, ReservationHandler &handler) {
    return insert(range, nullptr, &handler);
}

Status<AttachError> AddressMap::insert(GpaRange range, MmioDevice *device, ReservationHandler *handler) {
    if (overlaps(range))
        return Err{AttachError::overlap};
    usize place = 0;
    while (place < order_.size() && order_[place]->range.base() < range.base())
        ++place;
    const bool locks_itself = device != nullptr && device->locked_by() == LockedBy::device;
    const LockMode mode = locks_itself ? LockMode::absent : mode_;
    Slot *slot = nullptr;
    for (Slot &vacant : slots_) {
        if (vacant.device == nullptr && vacant.reservation == nullptr)
            slot = &vacant;
    }
    if (slot != nullptr) {
        std::destroy_at(slot);
        std::construct_at(slot, range, mode);
    } else {
        slot = slots_.emplace_back(range, mode);
    }
    if (slot == nullptr)
        return Err{AttachError::too_many};
    slot->device = device;
    slot->reservation = handler;
    SEL4VM_ASSERT(order_.insert(place, slot)); // as many places as slots
    return Ok{};
}

bool AddressMap::remove(Gpa base) {
    for (usize i = 0; i < order_.size(); ++i) {
        if (order_[i]->range.base() != base)
            continue;
        order_[i]->device = nullptr;
        order_[i]->reservation = nullptr;
        order_.erase(i);
        last_.store(nullptr, std::memory_order_relaxed);
        return true;
    }
    return false;
}

AddressMap::Slot *AddressMap::search(Gpa at) {
    usize low = 0;
    usize high = order_.size();
    while (low < high) {
        const usize middle = (low + high) / 2;
        Slot *slot = order_[middle];
        if (at < slot->range.base()) {
            high = middle;
        } else if (slot->range.contains(at)) {
            last_.store(slot, std::memory_order_relaxed);
            return slot;
        } else {
            low = middle + 1;
        }
    }
    return nullptr;
}

bool AddressMap::overlaps(GpaRange range) const {
    for (const Slot *slot : order_) {
        if (slot->range.overlaps(range))
            return true;
    }
    return false;
}

void AddressMap::reset_devices() {
    for (Slot *slot : order_) {
        if (slot->device == nullptr)
            continue;
        LockGuard guard(slot->lock);
        slot->device->reset();
    }
}

} // namespace sel4vm
