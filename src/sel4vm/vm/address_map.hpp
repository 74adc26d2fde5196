// SPDX-License-Identifier: BSD-2-Clause
//
// Who owns which guest-physical range outside RAM: devices and reservations, sorted, disjoint. One binary search finds
// the owner of a faulting access; the whole access must lie inside one range.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/vm/device.hpp>

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
    empty,    ///< size 0 or wrapping
};

class AddressMap {
public:
    static constexpr usize kMaxRanges = 128;

    /// What lives in a range. `lock` is the device's own (LockRank::device).
    struct Slot {
        Slot(GpaRange r, MmioDevice *d, ReservationHandler *h, LockMode mode)
            : range(r), device(d), reservation(h), lock(LockRank::device, mode) {}
        GpaRange range;
        MmioDevice *device;
        ReservationHandler *reservation;
        Mutex lock;
    };

    explicit AddressMap(LockMode mode) : mode_(mode) {}

    [[nodiscard]] Status<AttachError> attach(GpaRange range, MmioDevice &device);
    [[nodiscard]] Status<AttachError> reserve(GpaRange range, ReservationHandler &handler);
    /// Removes the device or reservation that starts at `base`; false when there is none. The VM must be paused.
    [[nodiscard]] bool remove(Gpa base);

    [[nodiscard]] Slot *find(Gpa at);
    [[nodiscard]] bool overlaps(GpaRange range) const;
    /// Every device once, in address order.
    void reset_devices();
    [[nodiscard]] usize size() const { return order_.size(); }
    [[nodiscard]] const Slot &at(usize index) const { return slots_[order_[index]]; }

private:
    [[nodiscard]] Status<AttachError> insert(GpaRange range, MmioDevice *device, ReservationHandler *handler);
    LockMode mode_;
    FixedVector<Slot, kMaxRanges> slots_;  // never moved, because of their locks
    FixedVector<u16, kMaxRanges> order_;   // indices into slots_, by address
    FixedVector<u16, kMaxRanges> vacant_;  // slots of removed ranges
    usize last_ = 0;                       // where the last search ended
};

} // namespace sel4vm
