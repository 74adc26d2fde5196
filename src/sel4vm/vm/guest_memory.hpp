// SPDX-License-Identifier: BSD-2-Clause
//
// The VMM's only way into guest RAM: by value, bounds-checked, across regions. No reference or pointer into guest memory leaves this class
// except for the Visitor, whose part() sees it in place for as long as it runs; every other caller fetches once and decides on its copy. RAM and ROM regions are made here and
// backed by the host's blocks; what is mapped at first touch draws on page tables reserved when the region was made.
//
// Threads: regions are added and removed while no vCPU runs; everything else from any thread. Demand RAM is cleared and mapped, and what is
// hidden is shown, under a lock of its own.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/owned_array.hpp>
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
    read_only,  ///< the VMM's own rules: ROM is written only by load_image(), shared ROM by nobody
};

/// A value that may be copied to or from guest memory: no padding, no pointers.
template <class T>
concept GuestValue =
    std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T> && !std::is_pointer_v<T>;

enum class RegionKind : u8 {
    ram,        ///< read, write, execute
    rom,        ///< read, execute; guest writes follow the policy (default: ignored)
    demand_ram, ///< as ram, cleared and mapped for the guest at its first touch, in steps of 2 MiB
    shared,     ///< as ram, but other VMs have it, too: it is not cleared at a reset, and not freed
    shared_rom, ///< as shared, but this guest may not write to it: as rom
    /// As rom where the guest only reads: its writes are a device's, and so is everything while the region is hidden.
    rom_device,
};
[[nodiscard]] constexpr bool is_read_only(RegionKind kind) {
    return kind == RegionKind::rom || kind == RegionKind::shared_rom || kind == RegionKind::rom_device;
}
[[nodiscard]] constexpr bool is_shared(RegionKind kind) {
    return kind == RegionKind::shared || kind == RegionKind::shared_rom;
}

enum class RegionError : u8 {
    misaligned,    ///< base or size is not a multiple of 4 KiB
    overlap,       ///< with another region, device or reservation
    too_many,      ///< kMaxRegions, or the host's memory is too scattered for kMaxPieces
    out_of_memory, ///< the host has not enough
    out_of_range,  ///< beyond the guest-physical address bits of the host
    host_failed,   ///< the host could not map it
};
/// A phrase for messages, about the range.
[[nodiscard]] const char *to_string(RegionError error);

class GuestMemory {
public:
    static constexpr usize kMaxRegions = 32;

    GuestMemory(GuestSpacePort &space, Allocator &allocator, LockMode locks)
        : space_(space), allocator_(allocator), lock_(LockRank::memory, locks) {}
    ~GuestMemory();
    GuestMemory(const GuestMemory &) = delete;
    GuestMemory &operator=(const GuestMemory &) = delete;

    /// Adds RAM or ROM at an exact place. Memory is cleared unless `clearing` says otherwise.
    [[nodiscard]] Status<RegionError> add(GpaRange range, RegionKind kind, Clearing clearing = Clearing::cleared);
    /// Makes a block that the caller got from the host a region of RAM; it is then freed like the others, by
    /// GuestSpacePort::free_ram(), unless it is shared. It is at least as large as the range. After an error it is the caller's still.
    [[nodiscard]] Status<RegionError> adopt(GpaRange range, const RamBlock &block, RegionKind kind = RegionKind::ram);
    /// Unmaps and frees the region that starts at `base`; false when there is none.
    [[nodiscard]] bool remove(Gpa base);

    /// True when every byte is RAM or ROM.
    [[nodiscard]] bool contains(Gpa at, u64 size_bytes) const;
    [[nodiscard]] bool overlaps(GpaRange range) const;

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

    /// Sees guest memory in place: for the C interface's vm_ram_touch(), whose callbacks get a pointer. Everything else
    /// takes copies.
    class Visitor {
    public:
        /// `count` bytes from `at`, seen by the VMM at `window`, are at `done` of what was asked for; false ends it.
        [[nodiscard]] virtual bool part(Gpa at, volatile u8 *window, u64 done, u64 count) = 0;

    protected:
        ~Visitor() = default;
    };
    /// In address order, in parts that do not cross a multiple of kPageBytes. False when the visitor ended it.
    [[nodiscard]] Result<bool, MemoryError> visit(Gpa at, u64 size_bytes, Visitor &visitor);
    /// Makes what was written there visible to a guest that runs with its caches off.
    [[nodiscard]] Status<MemoryError> clean(Gpa at, u64 size_bytes);

    /// Takes a rom_device that starts at `base` away from the guest, whose accesses exit from then on, and gives it back; while vCPUs run, too.
    /// False when there is none, or the host could not map it: then its accesses still exit. To ask for what is there already does nothing.
    [[nodiscard]] bool hide(Gpa base);
    [[nodiscard]] bool show(Gpa base);

    /// How far clearing has come.
    struct Cleared {
        usize piece = 0;
        u64 offset = 0;
    };
    /// Clears RAM (not ROM, and not what is shared) for a reset, about `size_bytes` of it from where `until` says. True when that was the last of it.
    [[nodiscard]] bool clear_ram(Cleared &until, u64 size_bytes);

    /// What the exit dispatcher asks about a faulting address.
    enum class Touch : u8 {
        not_memory,    ///< no region there
        mapped_now,    ///< demand RAM was mapped by this call, or brought nearer to it
        mapped_before, ///< the guest can reach it already
        read_only,     ///< a write to ROM
        refused,       ///< the host could not map it
    };
    [[nodiscard]] Touch touch(Gpa at, MemoryAccess access);
    /// Clears or maps one more part of the demand RAM in a range. True: all of it is mapped; what is no memory, or cannot be mapped, does not count.
    [[nodiscard]] bool bring_in(Gpa at, u64 size_bytes);

    /// One guest access performed by the VMM, for parts of compound instructions that also touch a device.
    [[nodiscard]] Result<u64, MemoryError> load_width(Gpa at, Width width) const;
    [[nodiscard]] Status<MemoryError> store_width(Gpa at, Width width, u64 value);

    struct RegionInfo {
        GpaRange range;
        RegionKind kind;
        bool hidden = false; ///< a rom_device
    };
    [[nodiscard]] usize region_count() const { return regions_.size(); }
    /// Regions in address order.
    [[nodiscard]] RegionInfo region(usize index) const { return regions_[index]; }

private:
    /// Demand RAM is mapped in steps of this size, and cleared before that in parts of this one, each at a touch.
    static constexpr u64 kStepBytes = 2 * kMiB;
    static constexpr u64 kPartBytes = 256 * kKiB;
    static constexpr u8 kMapped = 0xff; ///< otherwise, how many parts of a step are clear
    static constexpr usize kMaxPieces = 64;

    /// One contiguous block of host memory behind a part of a region.
    struct Piece {
        GpaRange range;
        RegionKind kind;
        RamBlock block;
        OwnedArray<std::atomic<u8>> steps; ///< demand RAM: how far each is; empty otherwise
    };

    [[nodiscard]] Status<RegionError> check_new(GpaRange range) const;
    void insert_region(GpaRange range, RegionKind kind);
    [[nodiscard]] RegionInfo *rom_device_at(Gpa base);
    [[nodiscard]] Status<RegionError> back(GpaRange range, RegionKind kind, Clearing clearing);
    [[nodiscard]] Status<RegionError> back_with(RamBlock block, GpaRange part, RegionKind kind);
    void drop_pieces(GpaRange range);
    [[nodiscard]] Piece *piece_at(Gpa at);
    [[nodiscard]] const Piece *piece_at(Gpa at) const { return const_cast<GuestMemory *>(this)->piece_at(at); }
    [[nodiscard]] Touch materialise(Piece &piece, u64 offset);
    [[nodiscard]] bool materialise(Piece &piece, u64 offset, u64 size_bytes);
    [[nodiscard]] Result<volatile u8 *, MemoryError> atomic_place(Gpa at, u64 size_bytes) const;
    [[nodiscard]] Result<volatile u8 *, MemoryError> writable_atomic_place(Gpa at, u64 size_bytes);

    /// Calls `visit(window, done, count)` for each contiguous part of [at, at + size).
    template <class Visit>
    [[nodiscard]] Status<MemoryError> each_part(Gpa at, u64 size_bytes, Visit visit);

    GuestSpacePort &space_;
    Allocator &allocator_;
    Mutex lock_; // steps of demand RAM, what is hidden
    FixedVector<RegionInfo, kMaxRegions> regions_;
    FixedVector<Piece, kMaxPieces> pieces_;
    bool has_demand_ram_ = false; ///< or had some
};

} // namespace sel4vm
