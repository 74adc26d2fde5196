// SPDX-License-Identifier: BSD-2-Clause
//
// The ITS's and the redistributors' tables in guest memory. Every entry is eight bytes, read and written as one; every index is checked
// against the size that its table has now, and every address against the memory that there is now.
//
//   device       63 valid, 51 to 8 address of its translation table, 4 to 0 bits of an event minus one
//   event        63 valid, 47 to 32 collection, 31 to 0 INTID
//   collection   63 valid, 15 to 0 vCPU
#include <sel4vm/dev/arm/gic/its.hpp>

namespace sel4vm::dev {

using aarch64::GicrPendbaser;
using aarch64::GicrPropbaser;
using aarch64::GitsBaser;
using aarch64::kFirstLpi;

namespace {

constexpr u64 kValid = u64{1} << 63;
constexpr u64 kEntryBytes = 8;
constexpr u64 kAddressEnd = u64{1} << 52;
constexpr u64 kTable = kAddressEnd - kPageBytes; // GICR_PROPBASER: 51 to 12
constexpr u32 kPageShifts[] = {12, 14, 16, 16};

/// The table's address. Pages of 64 KiB have bits 51 to 48 in the place of 15 to 12.
u64 address_of(GitsBaser table, u32 page_shift) {
    const u64 low = table.raw() & ((u64{1} << 48) - (u64{1} << page_shift));
    return page_shift == 16 ? low | (table.raw() >> 12 & 0xf) << 48 : low;
}

} // namespace

/// What is there, as far as it is memory of the guest.
Its::Entry Its::entry_at(Gpa at) {
    GuestMemory &memory = vm_.memory();
    switch (memory.touch(at, MemoryAccess::read)) {
    case GuestMemory::Touch::mapped_before: break;
    case GuestMemory::Touch::mapped_now: return {Outcome::later};
    default: return {Outcome::fault};
    }
    const auto value = memory.load<u64>(at);
    return value ? Entry{Outcome::done, at, *value} : Entry{Outcome::fault};
}

Its::Entry Its::entry_of(u64 raw, u32 index) {
    const GitsBaser table{raw};
    if (!table.get<GitsBaser::Valid>())
        return {Outcome::ignored};
    const u32 shift = kPageShifts[table.get<GitsBaser::PageSize>()];
    const u64 bytes = (u64{table.get<GitsBaser::Pages>()} + 1) << shift;
    u64 page = address_of(table, shift);
    u64 offset = index * kEntryBytes;
    if (table.get<GitsBaser::Indirect>()) {
        const u64 first = (offset >> shift) * kEntryBytes;
        if (first >= bytes)
            return {Outcome::ignored};
        const Entry level1 = entry_at(Gpa{page + first});
        if (level1.outcome != Outcome::done)
            return level1;
        if ((level1.value & kValid) == 0)
            return {Outcome::ignored};
        page = level1.value & (kAddressEnd - (u64{1} << shift));
        offset &= (u64{1} << shift) - 1;
    } else if (offset >= bytes) {
        return {Outcome::ignored};
    }
    return entry_at(Gpa{page + offset});
}

Its::Outcome Its::put(const Entry &entry, u64 value) {
    if (entry.outcome != Outcome::done)
        return entry.outcome;
    return vm_.memory().store<u64>(entry.at, value) ? Outcome::done : Outcome::fault;
}

/// The translation of an event: its place, and when it must be `mapped`, what is there.
Its::Event Its::find_event(u32 device, u32 event, bool mapped) {
    const Entry owner = entry_of(state_.devices, device);
    if (owner.outcome != Outcome::done)
        return {owner.outcome};
    if ((owner.value & kValid) == 0 || u64{event} >> ((owner.value & 0x1f) + 1) != 0)
        return {Outcome::ignored};
    const Entry entry = entry_at(Gpa{(owner.value & (kAddressEnd - 0x100)) + event * kEntryBytes});
    if (entry.outcome != Outcome::done)
        return {entry.outcome};
    const u32 intid = static_cast<u32>(entry.value);
    if (mapped && ((entry.value & kValid) == 0 || intid - kFirstLpi >= kLpiCount))
        return {Outcome::ignored};
    return {Outcome::done, entry.at, intid, static_cast<u32>(entry.value >> 32 & 0xffff)};
}

/// A mapped collection; its value is a vCPU that there is.
Its::Entry Its::find_collection(u32 collection) {
    Entry entry = entry_of(state_.collections, collection);
    if (entry.outcome != Outcome::done)
        return entry;
    if ((entry.value & kValid) == 0 || (entry.value & 0xffff) >= gic_.vcpu_count())
        return {Outcome::ignored};
    entry.value &= 0xffff;
    return entry;
}

// -- LPI configuration and pending tables

/// A part of a table, in doublewords, which does not cross a page.
Its::Outcome Its::read_table(u64 at, std::span<u64> out) {
    const Entry first = entry_at(Gpa{at}); // and with it the page
    if (first.outcome != Outcome::done)
        return first.outcome;
    for (u64 &word : out) {
        const auto value = vm_.memory().load<u64>(Gpa{at});
        if (!value)
            return Outcome::fault;
        word = *value;
        at += sizeof word;
    }
    return Outcome::done;
}

/// How many LPIs the table has room for, as far as there are so many.
u32 Its::configured_lpis() const {
    const u32 bits = GicrPropbaser{state_.configuration}.get<GicrPropbaser::IdBits>() + 1u;
    return bits >= kLpiIntidBits ? kLpiCount : 0;
}

/// What the table says of an LPI. Where there is no table any more, it stays as it was.
Its::Outcome Its::reload(u32 lpi) {
    if (lpi >= configured_lpis())
        return Outcome::ignored;
    const Entry entry = entry_at(Gpa{(state_.configuration & kTable) + (lpi & ~7u)});
    if (entry.outcome != Outcome::done)
        return entry.outcome;
    const u8 byte = static_cast<u8>(entry.value >> (8 * (lpi & 7)));
    gic_.configure_lpis(lpi, {&byte, 1});
    return Outcome::done;
}

Its::Outcome Its::reload_all() {
    std::array<u64, 32> part;
    for (u32 lpi = 0; lpi < configured_lpis(); lpi += sizeof part) {
        const Outcome found = read_table((state_.configuration & kTable) + lpi, part);
        if (found != Outcome::done)
            return found;
        // SAFETY: any object may be seen as bytes.
        gic_.configure_lpis(lpi, {reinterpret_cast<const u8 *>(part.data()), sizeof part});
    }
    return Outcome::done;
}

/// The pending table, when redistributor `cpu` gets it. Its first KiB would be about other interrupts than LPIs.
Its::Outcome Its::load_pending(u32 cpu) {
    const u64 table = cpus_[cpu].pending_table;
    if (GicrPendbaser{table}.get<GicrPendbaser::Ptz>())
        return Outcome::done;
    std::array<u64, kLpiCount / 64> words;
    const Outcome found = read_table((table & (kAddressEnd - 64 * kKiB)) + kFirstLpi / 8, words);
    if (found != Outcome::done)
        return found;
    PendingLpis pending;
    for (usize n = 0; n < pending.bits.size(); ++n)
        pending.bits[n] = static_cast<u32>(words[n / 2] >> (32 * (n % 2)));
    gic_.set_pending_lpis(cpu, pending);
    return Outcome::done;
}

} // namespace sel4vm::dev
