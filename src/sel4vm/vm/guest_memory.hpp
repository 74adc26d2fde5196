// SPDX-License-Identifier: BSD-2-Clause
//
// The VMM's only way into guest RAM: by value, bounds-checked, across regions. No reference or pointer into guest
// memory leaves this class; a caller fetches once and decides on its copy. RAM and ROM regions are made here and
// backed by the host's blocks; what is mapped at first touch draws on page tables reserved when the region was made.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/base/result.hpp>
#include <sel4vm/host/exit.hpp>
#include <sel4vm/host/guest_space_port.hpp>

#include <atomic>
#include <span>
#include <type_traits>

namespace sel4vm {

enum class MemoryError : u8 {
    unmapped,   ///< some byte is not RAM or ROM of this VM
    misaligned, ///< an atomic access that is not naturally aligned
    read_only,  ///< the VMM's own rules: ROM is written only by load()
};

/// A value that may be copied to or from guest memory: no padding, no pointers.
template <class T>
concept GuestValue = std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T> && !std::is_pointer_v<T>;

enum class RegionKind : u8 {
    ram,        ///< read, write, execute
    rom,        ///< read, execute; guest writes follow the policy (default: ignored)
    demand_ram, ///< as ram, mapped for the guest at its first touch, in the largest step the reserved tables allow
};

enum class RegionError : u8 {
    misaligned,    ///< base or size is not a multiple of 4 KiB
    overlap,       ///< with another region, device or reservation
    too_many,      ///< kMaxRegions
    out_of_memory, ///< the host has not enough
    out_of_range,  ///< beyond the guest-physical address bits of the host
    host_failed,
};

class GuestMemory {
public:
    static constexpr usize kMaxRegions = 32;

    explicit GuestMemory(GuestSpacePort &space) : space_(space) {}
    ~GuestMemory();
    GuestMemory(const GuestMemory &) = delete;
    GuestMemory &operator=(const GuestMemory &) = delete;

    /// Adds RAM or ROM at an exact place. Memory is cleared unless `clearing` says otherwise.
    [[nodiscard]] Status<RegionError> add(GpaRange range, RegionKind kind, Clearing clearing = Clearing::cleared);
    /// Unmaps and frees the region that starts at `base`; false when there is none.
    [[nodiscard]] bool remove(Gpa base);

    /// True when every byte is RAM or ROM.
    [[nodiscard]] bool contains(Gpa at, u64 size_bytes) const;

    /// One single-copy atomic access of 1, 2, 4 or 8 bytes, naturally aligned.
    template <std::unsigned_integral T>
    [[nodiscard]] Result<T, MemoryError> load(Gpa at, std::memory_order order = std::memory_order_relaxed) const {
        auto place = atomic_place(at, sizeof(T));
        if (!place)
            return Err{place.error()};
        // SAFETY: atomic_place checked bounds and alignment; the window outlives the region.
        return __atomic_load_n(reinterpret_cast<volatile T *>(*place), static_cast<int>(order));
    }
    template <std::unsigned_integral T>
    [[nodiscard]] Status<MemoryError> store(Gpa at, T value, std::memory_order order = std::memory_order_relaxed) {
        auto place = writable_atomic_place(at, sizeof(T));
        if (!place)
            return Err{place.error()};
        // SAFETY: as in load().
        __atomic_store_n(reinterpret_cast<volatile T *>(*place), value, static_cast<int>(order));
        return Ok{};
    }

    /// Bulk copies; may straddle regions, any alignment, all or nothing with respect to bounds.
    [[nodiscard]] Status<MemoryError> read(Gpa at, std::span<u8> out) const;
    [[nodiscard]] Status<MemoryError> write(Gpa at, std::span<const u8> bytes);
    [[nodiscard]] Status<MemoryError> fill(Gpa at, u64 size_bytes, u8 value);

    template <GuestValue T>
    [[nodiscard]] Result<T, MemoryError> fetch(Gpa at) const {
        T value;
        auto status = read(at, {reinterpret_cast<u8 *>(&value), sizeof(T)});
        if (!status)
            return Err{status.error()};
        return value;
    }
    template <GuestValue T>
    [[nodiscard]] Status<MemoryError> put(Gpa at, const T &value) {
        return write(at, {reinterpret_cast<const u8 *>(&value), sizeof(T)});
    }

    /// Copies an image in, ROM included, and makes it visible to a guest that runs with caches off.
    [[nodiscard]] Status<MemoryError> load_image(Gpa at, std::span<const u8> bytes);

    /// Clears all RAM (not ROM) for a reset.
    void clear_ram();

    /// What the exit dispatcher asks about a faulting address.
    enum class Touch : u8 {
        not_memory, ///< no region there
        mapped_now, ///< demand RAM was mapped (or already was): retry the instruction
        read_only,  ///< a write to ROM
        refused,    ///< the host could not map it
    };
    [[nodiscard]] Touch touch(Gpa at, MemoryAccess access);

    /// One guest access performed by the VMM, for parts of compound instructions that also touch a device.
    [[nodiscard]] Result<u64, MemoryError> load_width(Gpa at, Width width) const;
    [[nodiscard]] Status<MemoryError> store_width(Gpa at, Width width, u64 value);

    struct RegionInfo {
        GpaRange range;
        RegionKind kind;
    };
    [[nodiscard]] usize region_count() const;
    /// Regions in address order.
    [[nodiscard]] RegionInfo region(usize index) const;
    [[nodiscard]] u64 ram_bytes() const;

private:
    struct Piece { ///< one contiguous host block
        GpaRange range;
        RamBlock block;
    };
    struct Region {
        GpaRange range;
        RegionKind kind;
        usize first_piece = 0; // unused when pieces are searched by address
    };
    static constexpr usize kMaxPieces = 64;

    [[nodiscard]] const Piece *piece_at(Gpa at) const;
    [[nodiscard]] const Region *region_at(Gpa at) const;
    [[nodiscard]] Result<volatile u8 *, MemoryError> atomic_place(Gpa at, u64 size_bytes) const;
    [[nodiscard]] Result<volatile u8 *, MemoryError> writable_atomic_place(Gpa at, u64 size_bytes) const;

    GuestSpacePort &space_;
    FixedVector<Region, kMaxRegions> regions_;
    FixedVector<Piece, kMaxPieces> pieces_;
};

} // namespace sel4vm
