// SPDX-License-Identifier: BSD-2-Clause
//
// A client's reservations of guest-physical memory, the frames mapped there, and the ranges from which anonymous ones come.
// `vm_memory_reservation_t` and `vm_memory_reservation_cookie_t` of the C interface are these classes.
#pragma once

#include <sel4vm/capi/binding.hpp>
#include <sel4vm/capi/growing_array.hpp>
#include <sel4vm/capi/guest_vcpu.hpp>
#include <sel4vm/vm/vm.hpp>

#include <optional>

namespace sel4vm::capi {

enum class MapWhen : u8 { now, at_first_access };

class Reservation : public ReservationHandler {
public:
    Reservation(Machine &machine, GpaRange range, MemoryCallback callback);
    Reservation(const Reservation &) = delete;
    Reservation &operator=(const Reservation &) = delete;

    [[nodiscard]] GpaRange range() const { return range_; }
    [[nodiscard]] GpaRange pages() const { return pages_; }
    [[nodiscard]] bool is_mapped() const { return mapped_; }
    /// The client's page provider runs for it.
    [[nodiscard]] bool is_being_mapped() const { return asking_; }

    /// nullptr, or why not.
    [[nodiscard]] const char *map_now(const FrameSource &frames, GpaRange part);
    [[nodiscard]] const char *map_later(const FrameSource &frames);
    /// The client's array, which is copied.
    [[nodiscard]] const char *map_array(std::span<const seL4_CPtr> frames, usize size_bits, MapWhen when);
    void unmap();

    // -- ReservationHandler
    [[nodiscard]] Answer fault(Vcpu &vcpu, const MemoryExit &exit) override;

protected:
    ~Reservation() = default;

private:
    enum class Deferred : u8 { mapped_now, mapped_before, failed };
    /// Frames cover whole pages: takes what is missing at both ends. nullptr, or who is in the way.
    [[nodiscard]] const char *take_whole_pages();
    void give_back_rests();
    [[nodiscard]] std::optional<GpaRange> first_rest() const;
    [[nodiscard]] std::optional<GpaRange> last_rest() const;
    [[nodiscard]] Deferred touch(Gpa at);
    void mark_done(u64 page);
    [[nodiscard]] const char *map_frame_at(u64 at, const FrameSource &frames, GpaRange part, u64 &next);
    static vm_frame_t frame_of_array(uintptr_t addr, void *cookie);

    Machine &machine_;
    GpaRange range_;
    GpaRange pages_; ///< the range, in whole pages
    MemoryCallback callback_;
    bool mapped_ = false;
    bool asking_ = false;
    FrameSource later_;          ///< deferred mapping; `next` nullptr: none
    OwnedArray<u64> pages_done_; ///< deferred mapping: one bit for each page
    OwnedArray<seL4_CPtr> array_;
    usize array_bits_ = 0;
};

class Reservations {
public:
    Reservations(Machine &machine, Allocator &allocator)
        : machine_(machine), allocator_(allocator), all_(allocator), anonymous_(allocator) {}
    Reservations(const Reservations &) = delete;
    Reservations &operator=(const Reservations &) = delete;
    ~Reservations();

    /// The new one, or why not in `why`'s value.
    [[nodiscard]] Result<vm_memory_reservation_t *, const char *> add(GpaRange range, MemoryCallback callback);
    /// nullptr, or why not.
    [[nodiscard]] const char *remove(vm_memory_reservation_t *reservation);
    [[nodiscard]] bool owns(const vm_memory_reservation_t *reservation) const;
    [[nodiscard]] bool any_mapped() const;

    [[nodiscard]] const char *add_anonymous_range(GpaRange range);
    /// A free place in the anonymous ranges.
    [[nodiscard]] bool has_anonymous_ranges() const { return anonymous_.size() != 0; }
    [[nodiscard]] std::optional<GpaRange> find_place(u64 size_bytes, u64 alignment) const;

private:
    [[nodiscard]] const char *remove_at(usize index);
    [[nodiscard]] std::optional<u64> end_of_first_in_the_way(GpaRange range) const;

    Machine &machine_;
    Allocator &allocator_;
    GrowingArray<vm_memory_reservation_t *> all_;
    struct Anonymous {
        u64 base;
        u64 size_bytes;
        [[nodiscard]] GpaRange range() const { return *GpaRange::make(Gpa{base}, size_bytes); }
    };
    GrowingArray<Anonymous> anonymous_;
};

} // namespace sel4vm::capi

struct vm_memory_reservation final : sel4vm::capi::Reservation {
    using Reservation::Reservation;
};

struct vm_memory_reservation_cookie final : sel4vm::capi::Reservations {
    using Reservations::Reservations;
};
