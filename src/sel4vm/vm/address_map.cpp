// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/address_map.hpp>

#include <memory>

namespace sel4vm {

namespace {

// Builds that check the lock order need to see the locks of a VM with one executor, too.
#if defined(SEL4VM_CHECK_LOCK_ORDER)
constexpr bool kLocksAreSeen = true;
#else
constexpr bool kLocksAreSeen = false;
#endif

} // namespace

Status<AttachError> AddressMap::attach(GpaRange range, MmioDevice &device) { return insert(range, &device, nullptr); }

Status<AttachError> AddressMap::reserve(GpaRange range, ReservationHandler &handler) {
    return insert(range, nullptr, &handler);
}

Status<AttachError> AddressMap::insert(GpaRange range, MmioDevice *device, ReservationHandler *handler) {
    LockGuard guard(changing_);
    if (first_overlap_locked(range))
        return Err{AttachError::overlap};
    MapSlot *slot = size() < kMaxRanges ? vacant_slot(range) : nullptr;
    if (slot == nullptr)
        return Err{AttachError::too_many};
    slot->device = device;
    slot->reservation = handler;
    if (device != nullptr)
        slot->lock = lock_of(*device);
    begin_change();
    insert_in_order(slot);
    end_change();
    return Ok{};
}

bool AddressMap::remove(Gpa base) {
    LockGuard guard(changing_);
    const auto index = index_of(base);
    if (!index)
        return false;
    begin_change();
    MapSlot *slot = get(*index);
    take_from_order(*index);
    end_change();
    note_removed(*slot);
    return true;
}

void AddressMap::note_removed(MapSlot &slot) {
    ++removed_;
    slot.removed_in = removals_.load(std::memory_order_relaxed) + 1;
    removals_.store(slot.removed_in, std::memory_order_release);
}

Status<AttachError> AddressMap::move(Gpa base, GpaRange to) {
    LockGuard guard(changing_);
    const auto index = index_of(base);
    if (!index)
        return Err{AttachError::nothing};
    MapSlot *old = get(*index);
    // Its own old place may be part of the new one.
    for (usize i = 0; i < size(); ++i) {
        if (i != *index && get(i)->range.overlaps(to))
            return Err{AttachError::overlap};
    }
    MapSlot *slot = vacant_slot(to);
    if (slot == nullptr)
        return Err{AttachError::too_many};
    slot->device = old->device;
    slot->reservation = old->reservation;
    slot->lock = old->lock;
    begin_change();
    take_from_order(*index);
    insert_in_order(slot);
    end_change();
    note_removed(*old);
    return Ok{};
}

MapSlot *AddressMap::search(Gpa at) const {
    for (;;) {
        const u64 version = version_.load(std::memory_order_acquire);
        MapSlot *found = nullptr;
        usize low = 0;
        usize high = size_.load(std::memory_order_acquire);
        while (low < high) {
            const usize middle = (low + high) / 2;
            MapSlot *slot = get(middle);
            if (at < slot->range.base()) {
                high = middle;
            } else if (slot->range.contains(at)) {
                found = slot;
                break;
            } else {
                low = middle + 1;
            }
        }
        // Loads before this one were acquires: none of them can have come after it.
        if (version_.load(std::memory_order_relaxed) == version && version % 2 == 0) [[likely]]
            return found;
    }
}

std::optional<GpaRange> AddressMap::first_overlap(GpaRange range) const {
    LockGuard guard(changing_);
    return first_overlap_locked(range);
}

std::optional<GpaRange> AddressMap::first_overlap_locked(GpaRange range) const {
    for (usize i = 0; i < size(); ++i) {
        if (get(i)->range.overlaps(range))
            return get(i)->range;
    }
    return std::nullopt;
}

void AddressMap::reset_devices() {
    Gpa from{0};
    while (MapSlot *slot = next_to_reset(from)) {
        slot->enter();
        slot->device->reset();
        slot->leave();
    }
}

/// The first device at or behind `from` that has no range before; moves `from` behind it. Until there is none, a reset goes on.
MapSlot *AddressMap::next_to_reset(Gpa &from) {
    LockGuard guard(changing_);
    for (usize i = 0; i < size(); ++i) {
        MapSlot *slot = get(i);
        if (slot->range.base() < from || slot->device == nullptr || !is_first_range_of(*slot->device, i))
            continue;
        from = Gpa{slot->range.base().value() + 1};
        resetting_ = true;
        return slot;
    }
    resetting_ = false;
    return nullptr;
}

bool AddressMap::is_first_range_of(const MmioDevice &device, usize index) const {
    for (usize i = 0; i < index; ++i) {
        if (get(i)->device == &device)
            return false;
    }
    return true;
}

bool AddressMap::recycle(u64 removal) {
    LockGuard guard(changing_);
    if (removed_ == 0)
        return true; // as at each change of a map from which nothing has gone
    if (resetting_)
        return false;
    const usize before = removed_;
    for (MapSlot &slot : slots_) {
        if (slot.removed_in == 0 || slot.removed_in > removal)
            continue;
        slot.removed_in = 0;
        slot.device = nullptr;
        slot.reservation = nullptr;
        --removed_;
    }
    if (removed_ != before)
        drop_unused_locks();
    return removed_ == 0;
}

void AddressMap::drop_unused_locks() {
    for (DeviceLock &lock : locks_) {
        bool used = false;
        for (const MapSlot &slot : slots_)
            used = used || slot.device == lock.device;
        if (!used)
            lock.device = nullptr;
    }
}

MapSlot *AddressMap::vacant_slot(GpaRange range) {
    for (MapSlot &slot : slots_) {
        if (slot.device != nullptr || slot.reservation != nullptr)
            continue;
        std::destroy_at(&slot);
        return std::construct_at(&slot, range);
    }
    return slots_.emplace_back(range);
}

Mutex *AddressMap::lock_of(const MmioDevice &device) {
    if (device.locked_by() == LockedBy::device || (mode_ != LockMode::spin && !kLocksAreSeen))
        return nullptr;
    DeviceLock *vacant = nullptr;
    for (DeviceLock &lock : locks_) {
        if (lock.device == &device)
            return &lock.mutex;
        if (lock.device == nullptr)
            vacant = &lock;
    }
    if (vacant != nullptr) {
        std::destroy_at(vacant);
        std::construct_at(vacant, device, mode_);
    } else {
        vacant = locks_.emplace_back(device, mode_); // as many as slots
    }
    return &vacant->mutex;
}

std::optional<usize> AddressMap::index_of(Gpa base) const {
    for (usize i = 0; i < size(); ++i) {
        if (get(i)->range.base() == base)
            return i;
    }
    return std::nullopt;
}

void AddressMap::insert_in_order(MapSlot *slot) {
    usize place = size();
    for (; place > 0 && slot->range.base() < get(place - 1)->range.base(); --place)
        put(place, get(place - 1));
    put(place, slot);
    size_.store(size() + 1, std::memory_order_release);
}

void AddressMap::take_from_order(usize index) {
    const usize last = size() - 1;
    for (usize i = index; i < last; ++i)
        put(i, get(i + 1));
    size_.store(last, std::memory_order_release);
}

void AddressMap::begin_change() {
    version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void AddressMap::end_change() {
    version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

} // namespace sel4vm
