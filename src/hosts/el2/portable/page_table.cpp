// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/page_table.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>

namespace sel4vm::el2 {
namespace {

constexpr unsigned kLastLevel = 3;
constexpr unsigned kEntries = 512;
constexpr u64 kValid = 1;
constexpr u64 kTableOrPage = 2; // at level 3 it says page, above it says table
constexpr u64 kAddressMask = 0x0000'ffff'ffff'f000;

constexpr unsigned shift_of(unsigned level) { return 39 - 9 * level; }
constexpr u64 size_of(unsigned level) { return u64{1} << shift_of(level); }

constexpr bool is_valid(u64 entry) { return (entry & kValid) != 0; }
constexpr bool is_leaf(u64 entry, unsigned level) {
    return is_valid(entry) && (level == kLastLevel || (entry & kTableOrPage) == 0);
}
constexpr bool is_table(u64 entry, unsigned level) { return is_valid(entry) && !is_leaf(entry, level); }
constexpr u64 address_of(u64 entry) { return entry & kAddressMask; }
constexpr u64 make_leaf(u64 output, u64 attributes, unsigned level) {
    return output | attributes | kValid | (level == kLastLevel ? kTableOrPage : 0);
}
constexpr u64 make_table(u64 table) { return table | kValid | kTableOrPage; }

} // namespace

void PageTable::Span::extend(const Span &other) {
    base = std::min(base, other.base);
    end = std::max(end, other.end);
}

unsigned PageTable::start_tables() const {
    const unsigned one_table = shift_of(geometry_.start_level) + 9;
    return geometry_.input_bits > one_table ? 1U << (geometry_.input_bits - one_table) : 1;
}

bool PageTable::valid_range(u64 at, u64 size_bytes) const {
    const u64 limit = u64{1} << geometry_.input_bits;
    return size_bytes > 0 && is_aligned(at | size_bytes, kPageBytes) && at < limit && size_bytes <= limit - at;
}

PageTable::Span PageTable::entry_span(u64 at, unsigned level) {
    const u64 base = align_down(at, size_of(level));
    return {base, base + size_of(level)};
}

unsigned PageTable::index_of(u64 at, unsigned level) const {
    const u64 index = at >> shift_of(level);
    return static_cast<unsigned>(level == geometry_.start_level ? index : index % kEntries);
}

Status<HostError> PageTable::create() {
    SEL4VM_ASSERT(root_ == 0 && start_tables() <= 16);
    root_ = memory_.allocate_tables(start_tables());
    if (root_ == 0)
        return Err{HostError{HostErrorKind::out_of_memory}};
    return Ok{};
}

void PageTable::destroy() {
    if (root_ == 0)
        return;
    const unsigned covered = geometry_.input_bits - shift_of(geometry_.start_level);
    free_level(root_, geometry_.start_level, 1U << covered);
    memory_.free_tables(root_, start_tables());
    while (spare_ != 0)
        memory_.free_tables(pop(spare_), 1);
    root_ = 0;
    spare_count_ = 0;
    reservations_.clear();
}

void PageTable::free_level(u64 table, unsigned level, unsigned entries) {
    for (unsigned i = 0; i < entries; ++i) {
        const u64 entry = memory_.load(table, i);
        if (!is_table(entry, level))
            continue;
        free_level(address_of(entry), level + 1, kEntries);
        memory_.free_tables(address_of(entry), 1);
    }
}

// ---------------------------------------------------------------- looking

std::optional<PageTable::Leaf> PageTable::lookup(u64 at) const {
    if (root_ == 0 || at >> geometry_.input_bits != 0)
        return std::nullopt;
    u64 table = root_;
    for (unsigned level = geometry_.start_level;; ++level) {
        const u64 entry = memory_.load(table, index_of(at, level));
        if (!is_valid(entry))
            return std::nullopt;
        if (is_leaf(entry, level))
            return Leaf{address_of(entry) + (at & (size_of(level) - 1)), entry & kAttributeMask, size_of(level)};
        table = address_of(entry);
    }
}

bool PageTable::any_mapped(u64 table, unsigned level, Span range) const {
    for (u64 at = range.base; at < range.end; at = entry_span(at, level).end) {
        const u64 entry = memory_.load(table, index_of(at, level));
        if (is_leaf(entry, level))
            return true;
        if (is_table(entry, level) &&
            any_mapped(address_of(entry), level + 1, {at, std::min(range.end, entry_span(at, level).end)}))
            return true;
    }
    return false;
}

bool PageTable::all_mapped(u64 table, unsigned level, Span range) const {
    for (u64 at = range.base; at < range.end; at = entry_span(at, level).end) {
        const u64 entry = memory_.load(table, index_of(at, level));
        if (!is_valid(entry))
            return false;
        if (is_table(entry, level) &&
            !all_mapped(address_of(entry), level + 1, {at, std::min(range.end, entry_span(at, level).end)}))
            return false;
    }
    return true;
}

// ---------------------------------------------------------------- mapping

Status<HostError> PageTable::map(u64 at, u64 size_bytes, u64 output, u64 attributes) {
    SEL4VM_ASSERT(root_ != 0 && (attributes & ~kAttributeMask) == 0);
    const bool output_fits =
        is_aligned(output, kPageBytes) && output <= kAddressMask && size_bytes <= kAddressMask - output + kPageBytes;
    if (!valid_range(at, size_bytes) || !output_fits || any_mapped(root_, geometry_.start_level, {at, at + size_bytes}))
        return Err{HostError{HostErrorKind::invalid}};
    auto done = map_level(root_, geometry_.start_level, {at, at + size_bytes}, output, attributes);
    if (!done)
        unmap(at, size_bytes); // all of it is ours: nothing was mapped there
    memory_.publish();
    return done;
}

Status<HostError> PageTable::map_level(u64 table, unsigned level, Span range, u64 output, u64 attributes) {
    const bool blocks = level == kLastLevel || level == 2 || (level == 1 && geometry_.largest_blocks);
    for (u64 at = range.base; at < range.end;) {
        const Span span = entry_span(at, level);
        const u64 next = std::min(range.end, span.end);
        const unsigned index = index_of(at, level);
        const u64 entry = memory_.load(table, index);
        if (blocks && !is_valid(entry) && at == span.base && next == span.end && is_aligned(output, size_of(level))) {
            memory_.store(table, index, make_leaf(output, attributes, level));
        } else {
            u64 below = address_of(entry);
            if (!is_valid(entry)) {
                below = new_table(span);
                if (below == 0)
                    return Err{HostError{HostErrorKind::out_of_memory}};
                memory_.publish(); // the new table's zeros, before anything points to them
                memory_.store(table, index, make_table(below));
            }
            if (auto done = map_level(below, level + 1, {at, next}, output, attributes); !done)
                return done;
        }
        output += next - at;
        at = next;
    }
    return Ok{};
}

// ---------------------------------------------------------------- changing

Status<HostError> PageTable::change(u64 at, u64 size_bytes, u64 mask, u64 attributes, ChangeKind kind) {
    SEL4VM_ASSERT(root_ != 0 && (mask & ~kAttributeMask) == 0 && (attributes & ~mask) == 0);
    if (!valid_range(at, size_bytes))
        return Err{HostError{HostErrorKind::invalid}};
    const Span range{at, at + size_bytes};
    if (!all_mapped(root_, geometry_.start_level, range))
        return Err{HostError{HostErrorKind::invalid}};
    if (auto done = split_at(range.base); !done)
        return done;
    if (auto done = split_at(range.end); !done)
        return done;
    if (kind == ChangeKind::memory_type) {
        break_level(root_, geometry_.start_level, range);
        memory_.invalidate(at, size_bytes);
        change_level(root_, geometry_.start_level, range, mask, attributes);
        memory_.publish();
    } else {
        change_level(root_, geometry_.start_level, range, mask, attributes);
        memory_.invalidate(at, size_bytes);
    }
    return Ok{};
}

/// Clears only the valid bits, so that change_level finds address and attributes where they were.
void PageTable::break_level(u64 table, unsigned level, Span range) {
    for (u64 at = range.base; at < range.end; at = entry_span(at, level).end) {
        const unsigned index = index_of(at, level);
        const u64 entry = memory_.load(table, index);
        if (is_table(entry, level))
            break_level(address_of(entry), level + 1, {at, std::min(range.end, entry_span(at, level).end)});
        else
            memory_.store(table, index, entry & ~kValid);
    }
}

void PageTable::change_level(u64 table, unsigned level, Span range, u64 mask, u64 attributes) {
    for (u64 at = range.base; at < range.end; at = entry_span(at, level).end) {
        const unsigned index = index_of(at, level);
        const u64 entry = memory_.load(table, index);
        if (is_table(entry, level))
            change_level(address_of(entry), level + 1, {at, std::min(range.end, entry_span(at, level).end)}, mask,
                         attributes);
        else
            memory_.store(table, index, (entry & ~mask) | attributes | kValid);
    }
}

Status<HostError> PageTable::split_at(u64 at) {
    if (at >> geometry_.input_bits != 0)
        return Ok{};
    u64 table = root_;
    for (unsigned level = geometry_.start_level; level < kLastLevel; ++level) {
        const Span span = entry_span(at, level);
        const unsigned index = index_of(at, level);
        if (span.base == at || !is_valid(memory_.load(table, index)))
            return Ok{};
        if (is_leaf(memory_.load(table, index), level)) {
            if (auto done = split_entry(table, index, level, span); !done)
                return done;
        }
        table = address_of(memory_.load(table, index));
    }
    return Ok{};
}

Status<HostError> PageTable::split_entry(u64 table, unsigned index, unsigned level, Span span) {
    const u64 block = memory_.load(table, index);
    const u64 below = new_table(span);
    if (below == 0)
        return Err{HostError{HostErrorKind::out_of_memory}};
    for (unsigned i = 0; i < kEntries; ++i)
        memory_.store(below, i,
                      make_leaf(address_of(block) + i * size_of(level + 1), block & kAttributeMask, level + 1));
    memory_.store(table, index, 0);
    memory_.invalidate(span.base, span.end - span.base);
    memory_.store(table, index, make_table(below));
    memory_.publish();
    return Ok{};
}

// ---------------------------------------------------------------- unmapping

void PageTable::unmap(u64 at, u64 size_bytes) {
    if (root_ == 0 || !valid_range(at, size_bytes))
        return;
    const Span range{at, at + size_bytes};
    // Best effort: unmap_level removes a block whole that could not be split.
    (void)split_at(range.base).has_value();
    (void)split_at(range.end).has_value();
    Span touched = range;
    unmap_level(root_, geometry_.start_level, range, touched);
    memory_.invalidate(touched.base, touched.end - touched.base);
    release_retired();
}

void PageTable::unmap_level(u64 table, unsigned level, Span range, Span &touched) {
    for (u64 at = range.base; at < range.end; at = entry_span(at, level).end) {
        const Span span = entry_span(at, level);
        const unsigned index = index_of(at, level);
        const u64 entry = memory_.load(table, index);
        if (is_leaf(entry, level)) {
            memory_.store(table, index, 0);
            touched.extend(span);
        } else if (is_table(entry, level)) {
            unmap_level(address_of(entry), level + 1, {at, std::min(range.end, span.end)}, touched);
            if (!is_empty(address_of(entry)))
                continue;
            memory_.store(table, index, 0);
            touched.extend(span); // walkers may have cached the way to the table
            retire(address_of(entry), span);
        }
    }
}

bool PageTable::is_empty(u64 table) const {
    for (unsigned i = 0; i < kEntries; ++i) {
        if (is_valid(memory_.load(table, i)))
            return false;
    }
    return true;
}

// ---------------------------------------------------------------- table pages

Status<HostError> PageTable::reserve(u64 at, u64 size_bytes) {
    SEL4VM_ASSERT(root_ != 0);
    if (!valid_range(at, size_bytes))
        return Err{HostError{HostErrorKind::invalid}};
    const Span range{at, at + size_bytes};
    if (reservations_.full())
        return Err{HostError{HostErrorKind::out_of_memory}};
    const usize missing = count_missing(root_, geometry_.start_level, range);
    u64 fresh = 0;
    for (usize i = 0; i < missing; ++i) {
        const u64 table = memory_.allocate_tables(1);
        if (table == 0) {
            while (fresh != 0)
                memory_.free_tables(pop(fresh), 1);
            return Err{HostError{HostErrorKind::out_of_memory}};
        }
        push(fresh, table);
    }
    while (fresh != 0)
        push(spare_, pop(fresh));
    spare_count_ += missing;
    SEL4VM_ASSERT(reservations_.emplace_back(range) != nullptr);
    return Ok{};
}

usize PageTable::count_missing(u64 table, unsigned level, Span range) const {
    if (level == kLastLevel)
        return 0;
    usize count = 0;
    for (u64 at = range.base; at < range.end; at = entry_span(at, level).end) {
        const Span span = entry_span(at, level);
        const u64 entry = table == 0 ? 0 : memory_.load(table, index_of(at, level));
        const bool exists = is_table(entry, level);
        if (!exists && !is_reserved(span))
            ++count;
        count += count_missing(exists ? address_of(entry) : 0, level + 1, {at, std::min(range.end, span.end)});
    }
    return count;
}

bool PageTable::is_reserved(Span span) const {
    return std::any_of(reservations_.begin(), reservations_.end(), [&](const Span &r) { return r.overlaps(span); });
}

/// The table below the entry that covers `span`. A table that serves a reservation, if only in part, always comes from what
/// was set aside and goes back there, which keeps the count of reserve() true.
u64 PageTable::new_table(Span span) {
    if (is_reserved(span) && spare_ != 0) {
        --spare_count_;
        return pop(spare_);
    }
    return memory_.allocate_tables(1);
}

void PageTable::retire(u64 table, Span span) { push(is_reserved(span) ? retired_to_spare_ : retired_to_free_, table); }

void PageTable::release_retired() {
    while (retired_to_spare_ != 0) {
        push(spare_, pop(retired_to_spare_));
        ++spare_count_;
    }
    while (retired_to_free_ != 0)
        memory_.free_tables(pop(retired_to_free_), 1);
}

void PageTable::push(u64 &list, u64 table) {
    memory_.store(table, 0, list);
    list = table;
}

u64 PageTable::pop(u64 &list) {
    const u64 table = list;
    list = memory_.load(table, 0);
    memory_.store(table, 0, 0);
    return table;
}

} // namespace sel4vm::el2
