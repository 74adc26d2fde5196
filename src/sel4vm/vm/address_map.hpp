// SPDX-License-Identifier: BSD-2-Clause
//
// Who owns which range of an address space: devices and reservations, sorted, disjoint. One binary search finds the owner of an access; the
// whole access must lie inside one range. A VM has one such map for guest-physical addresses outside RAM, and one for I/O ports.
//
// Threads: search() from any thread, without a lock. Changes from any thread, one at a time under a lock, while searches go on: a search that a
// change disturbs begins again. What is taken away stays readable for whoever found it before; recycle() says when nobody can have it any more.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/vm/device.hpp>

#include <array>
#include <atomic>
#include <optional>

namespace sel4vm {

/// A client's callback on a reserved range: it may map memory, emulate, or pass.
class ReservationHandler {
public:
    /// kind none: not handled, the policy decides.
    [[nodiscard]] virtual Answer fault(Vcpu &vcpu, const MemoryExit &exit) = 0;

protected:
    ~ReservationHandler() = default;
};

enum class AttachError : u8 {
    overlap,       ///< with a device, reservation or RAM region
    too_many,      ///< AddressMap::kMaxRanges, or so many were taken away and may still be in use that no place is left
    nothing,       ///< to be moved: nothing starts there
    wrong_state,   ///< I/O ports: the VM was started
    out_of_memory, ///< for the first I/O port
};

/// What lives in a range: a device or a reservation. Does not change as long as anybody may have found it.
struct MapSlot {
    explicit MapSlot(GpaRange r) : range(r) {}
    /// Around each access of the device: its lock (LockRank::device), when it has one.
    void enter() const SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
        if (lock != nullptr)
            lock->lock();
    }
    void leave() const SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
        if (lock != nullptr)
            lock->unlock();
    }

    GpaRange range;
    MmioDevice *device = nullptr;
    ReservationHandler *reservation = nullptr;
    Mutex *lock =
        nullptr; ///< of the device, the same in all its ranges; nullptr: one executor, or the device locks itself
    u64 removed_in = 0; ///< the change that took it away; 0: it is in the map, or vacant
};

class AddressMap {
public:
    static constexpr usize kMaxRanges = 256;

    explicit AddressMap(LockMode mode) : changing_(LockRank::address_map, mode), mode_(mode) {}
    AddressMap(const AddressMap &) = delete;
    AddressMap &operator=(const AddressMap &) = delete;

    [[nodiscard]] Status<AttachError> attach(GpaRange range, MmioDevice &device);
    [[nodiscard]] Status<AttachError> reserve(GpaRange range, ReservationHandler &handler);
    /// Takes away the device or reservation that starts at `base`; false when there is none.
    [[nodiscard]] bool remove(Gpa base);
    /// The device or reservation that starts at `base` answers at `to` instead, from one moment to the next: it is found at one of the two by
    /// every search.
    [[nodiscard]] Status<AttachError> move(Gpa base, GpaRange to);

    /// What owns `at`; nullptr: nothing.
    [[nodiscard]] MapSlot *search(Gpa at) const;
    /// The lowest range that shares a byte with `range`.
    [[nodiscard]] std::optional<GpaRange> first_overlap(GpaRange range) const;
    [[nodiscard]] bool overlaps(GpaRange range) const { return first_overlap(range).has_value(); }
    /// Every device once, in address order of its first range. It may change the map meanwhile; one that changes its own ranges may be reset again.
    void reset_devices();
    [[nodiscard]] usize size() const { return size_.load(std::memory_order_acquire); }

    /// Counts what was taken away: whoever searches after he has seen a number finds nothing that was taken away up to it.
    [[nodiscard]] u64 removals() const { return removals_.load(std::memory_order_acquire); }
    /// Places of what was taken away up to `removal`, which no search can have found any more, may be taken again. False when something stays: what was
    /// taken away later, or everything while devices are reset.
    bool recycle(u64 removal);
    /// Orders what the calling thread does next after every change so far.
    void synchronize() { LockGuard guard(changing_); }

private:
    /// Taken away, and perhaps in use.
    static constexpr usize kMaxRemoved = 64;

    struct DeviceLock {
        DeviceLock(const MmioDevice &its_device, LockMode mode) : device(&its_device), mutex(LockRank::device, mode) {}
        const MmioDevice *device; ///< nullptr: vacant
        Mutex mutex;
    };

    [[nodiscard]] Status<AttachError> insert(GpaRange range, MmioDevice *device, ReservationHandler *handler);
    [[nodiscard]] MapSlot *vacant_slot(GpaRange range) SEL4VM_REQUIRES(changing_);
    [[nodiscard]] Mutex *lock_of(const MmioDevice &device) SEL4VM_REQUIRES(changing_);
    [[nodiscard]] std::optional<usize> index_of(Gpa base) const SEL4VM_REQUIRES(changing_);
    [[nodiscard]] std::optional<GpaRange> first_overlap_locked(GpaRange range) const SEL4VM_REQUIRES(changing_);
    [[nodiscard]] bool is_first_range_of(const MmioDevice &device, usize index) const SEL4VM_REQUIRES(changing_);
    [[nodiscard]] MapSlot *next_to_reset(Gpa &from);
    void put(usize index, MapSlot *slot) { order_[index].store(slot, std::memory_order_release); }
    [[nodiscard]] MapSlot *get(usize index) const { return order_[index].load(std::memory_order_acquire); }
    void insert_in_order(MapSlot *slot) SEL4VM_REQUIRES(changing_);
    void take_from_order(usize index) SEL4VM_REQUIRES(changing_);
    void begin_change() SEL4VM_REQUIRES(changing_);
    void note_removed(MapSlot &slot) SEL4VM_REQUIRES(changing_);
    void drop_unused_locks() SEL4VM_REQUIRES(changing_);
    void end_change() SEL4VM_REQUIRES(changing_);

    // Those in use, by address. A search reads them between two looks at `version_`, which is odd while they change.
    std::array<std::atomic<MapSlot *>, kMaxRanges> order_{};
    std::atomic<usize> size_{0};
    std::atomic<u64> version_{0};
    std::atomic<u64> removals_{0};
    bool resetting_ SEL4VM_GUARDED_BY(changing_) = false; ///< somebody is inside a device's reset
    usize removed_ SEL4VM_GUARDED_BY(changing_) = 0;      ///< slots that were taken away and not recycled: mostly none
    mutable Mutex changing_;
    LockMode mode_;
    FixedVector<MapSlot, kMaxRanges + kMaxRemoved> slots_ SEL4VM_GUARDED_BY(changing_);    // never moved
    FixedVector<DeviceLock, kMaxRanges + kMaxRemoved> locks_ SEL4VM_GUARDED_BY(changing_); // never moved
};

} // namespace sel4vm
