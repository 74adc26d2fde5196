// SPDX-License-Identifier: BSD-2-Clause
//
// A VMSAv8-64 translation table tree with the 4 KiB granule: map, change, unmap, look up. The same code builds a guest's
// stage 2 and the host's own stage 1; what differs (attribute bits, start level, how memory and TLB are reached) comes from the
// caller. Picks the largest block that addresses allow. A valid entry is replaced by another only through
// an invalid one and a TLB invalidation (break-before-make), except where only attributes change, which the architecture permits.
// Deliberately not thread-safe, and no knowledge of what an attribute means.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/result.hpp>
#include <sel4vm/base/types.hpp>
#include <sel4vm/host/host_error.hpp>

#include <optional>

namespace sel4vm::el2 {

/// The machine below a PageTable; a fake in tests.
class TableMemory {
public:
    /// `count` contiguous zeroed table pages, aligned to their total size (count is a power of two). 0: none left.
    [[nodiscard]] virtual u64 allocate_tables(unsigned count) = 0;
    virtual void free_tables(u64 base, unsigned count) = 0;
    [[nodiscard]] virtual u64 load(u64 table, unsigned index) const = 0;
    virtual void store(u64 table, unsigned index, u64 descriptor) = 0;
    /// Makes stores visible to the table walkers.
    virtual void publish() = 0;
    /// publish(), then: no CPU holds a translation of [base, base + size_bytes) that was made before the call.
    virtual void invalidate(u64 base, u64 size_bytes) = 0;

protected:
    ~TableMemory() = default;
};

struct TableGeometry {
    u8 start_level;             ///< 0 to 2
    u8 input_bits;              ///< bits of input address; up to 16 start tables are concatenated
    bool largest_blocks = true; ///< false: 2 MiB at most, so that no 1 GiB block ever has to be split
};

/// How change() replaces a valid entry.
enum class ChangeKind : u8 {
    permissions, ///< in place: the architecture allows it for access permissions and software bits
    memory_type, ///< through an invalid entry
};

class PageTable {
public:
    /// Descriptor bits 51 to 63 and 2 to 11 of a leaf; bits 0, 1 and the address are the table's own.
    static constexpr u64 kAttributeMask = 0xfff8'0000'0000'0ffc;

    struct Leaf {
        u64 output; ///< of the address that was looked up
        u64 attributes;
        u64 size_bytes; ///< of the whole mapping
    };

    PageTable(TableMemory &memory, TableGeometry geometry) : memory_(memory), geometry_(geometry) {}
    PageTable(const PageTable &) = delete;
    PageTable &operator=(const PageTable &) = delete;

    /// Allocates the start table(s); call once, first.
    [[nodiscard]] Status<HostError> create();
    /// Frees every table. Nothing may translate through them any more: the caller invalidates.
    void destroy();
    [[nodiscard]] u64 root() const { return root_; }

    /// Page-aligned. invalid when out of range, misaligned or any part is mapped already; on any error nothing changed.
    [[nodiscard]] Status<HostError> map(u64 at, u64 size_bytes, u64 output, u64 attributes);
    /// Replaces the attribute bits in `mask`. invalid when a part is not mapped; on any error no attribute changed.
    [[nodiscard]] Status<HostError> change(u64 at, u64 size_bytes, u64 mask, u64 attributes, ChangeKind kind);
    /// Removes what is mapped in the range. Where a block has to be split and there is no memory for the table, the whole
    /// block goes: too little is mapped then, never too much.
    void unmap(u64 at, u64 size_bytes);
    /// From now on mapping inside the range, even page by page, does not run out of tables.
    [[nodiscard]] Status<HostError> reserve(u64 at, u64 size_bytes);

    [[nodiscard]] std::optional<Leaf> lookup(u64 at) const;
    /// Tables set aside and not in use.
    [[nodiscard]] usize spare_tables() const { return spare_count_; }

private:
    struct Span {
        u64 base;
        u64 end;
        [[nodiscard]] bool overlaps(const Span &other) const { return base < other.end && other.base < end; }
        void extend(const Span &other);
    };
    static constexpr usize kMaxReservations = 64;

    [[nodiscard]] bool valid_range(u64 at, u64 size_bytes) const;
    [[nodiscard]] unsigned start_tables() const;
    [[nodiscard]] static Span entry_span(u64 at, unsigned level);
    [[nodiscard]] unsigned index_of(u64 at, unsigned level) const;
    [[nodiscard]] bool any_mapped(u64 table, unsigned level, Span range) const;
    [[nodiscard]] bool all_mapped(u64 table, unsigned level, Span range) const;
    [[nodiscard]] Status<HostError> map_level(u64 table, unsigned level, Span range, u64 output, u64 attributes);
    /// Makes sure that no mapping crosses `at`.
    [[nodiscard]] Status<HostError> split_at(u64 at);
    [[nodiscard]] Status<HostError> split_entry(u64 table, unsigned index, unsigned level, Span span);
    void break_level(u64 table, unsigned level, Span range);
    void change_level(u64 table, unsigned level, Span range, u64 mask, u64 attributes);
    void unmap_level(u64 table, unsigned level, Span range, Span &touched);
    [[nodiscard]] bool is_empty(u64 table) const;
    void free_level(u64 table, unsigned level, unsigned entries);
    /// Tables that mapping `range` page by page needs and that neither exist nor are set aside. `table` 0: it does not exist.
    [[nodiscard]] usize count_missing(u64 table, unsigned level, Span range) const;
    [[nodiscard]] bool is_reserved(Span span) const;

    [[nodiscard]] u64 new_table(Span span);
    void retire(u64 table, Span span);
    void release_retired();
    void push(u64 &list, u64 table);
    [[nodiscard]] u64 pop(u64 &list);

    TableMemory &memory_;
    TableGeometry geometry_;
    u64 root_ = 0;
    // Lists of table pages, linked through the first entry. A link is page-aligned, so a walker that still holds a retired table reads it as invalid.
    u64 spare_ = 0;
    usize spare_count_ = 0;
    u64 retired_to_spare_ = 0;
    u64 retired_to_free_ = 0;
    FixedVector<Span, kMaxReservations> reservations_;
};

} // namespace sel4vm::el2
