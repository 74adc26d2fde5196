// SPDX-License-Identifier: BSD-2-Clause
//
// Who owns which guest-physical range outside RAM: devices and reservations, sorted, disjoint. One binary search finds
// the owner of a faulting access; the whole access must lie inside one range.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/vm/device.hpp>

#include <atomic>

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
    overlap,  ///< with a device, reservation or RAM region
    too_many, ///< kMaxRanges
};

class AddressMap {
public:
    static constexpr usize kMaxRanges = 256;

    /// What lives in a range: a device or a reservation. `lock` (LockRank::device) is taken for accesses of a device.
    struct Slot {
        Slot(GpaRange r, LockMode mode) : range(r), lock(LockRank::device, mode) {}
        GpaRange range;
        MmioDevice *device = nullptr;
        ReservationHandler *reservation = nullptr;
        Mutex lock;
    };

    explicit AddressMap(LockMode mode) : mode_(mode) {}

    [[nodiscard]] Status<AttachError> attach(GpaRange range, MmioDevice &device);
    [[nodiscard]] Status<AttachError> reserve(GpaRange range, ReservationHandler &handler);
    /// Removes the device or reservation that starts at `base`; false when there is none. The VM must be paused.
    [[nodiscard]] bool remove(Gpa base);

    [[nodiscard]] Slot *find(Gpa at) {
        // As in RangeTable: most accesses go where the last one went.
        Slot *slot = last_.load(std::memory_order_relaxed);
        if (slot != nullptr && slot->range.contains(at)) [[likely]]
            return slot;
        return search(at);
    }
    [[nodiscard]] bool overlaps(GpaRange range) const;
    /// Every device once, in address order.
    void reset_devices();
    [[nodiscard]] usize size() const { return order_.size(); }
    /// Ranges in address order.
    [[nodiscard]] const Slot &at(usize index) const { return *order_[index]; }

private:
    [[nodiscard]] Status<AttachError> insert(GpaRange range, MmioDevice *device, ReservationHandler *handler);
    [[nodiscard]] Slot *search(Gpa at);
    std::atomic<Slot *> last_{nullptr};
    LockMode mode_;
    FixedVector<Slot, kMaxRanges> slots_;   // never moved, because of their locks; vacant ones are reused
    FixedVector<Slot *, kMaxRanges> order_; // those in use, by address
};

} // namespace sel4vm
