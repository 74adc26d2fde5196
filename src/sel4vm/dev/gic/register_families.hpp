// SPDX-License-Identifier: BSD-2-Clause
//
// Tables of register families, the GIC's kind of register file: each row is a run of equal registers that hold a few bits
// for each of many interrupts. The table owns offsets, widths, alignment and lanes, so that a handler sees the number of
// the register, and on a write which of its bits are written. Offsets without a row read as zero and ignore writes.
// Every aligned access of 1, 2, 4 or 8 bytes is taken: a part of a register, or two registers, the lower one first. The
// architecture asks for less (docs/gic.md), and guests that run elsewhere use more.
#pragma once

#include <sel4vm/base/bits.hpp>
#include <sel4vm/vm/device.hpp>

#include <array>

namespace sel4vm::dev {

/// Who accesses, and whose private interrupts the register shows.
class RegisterOrigin {
public:
    constexpr RegisterOrigin(u32 caller, u32 bank) : packed_(caller | bank << 16) {}
    [[nodiscard]] constexpr u32 caller() const { return packed_ & 0xffff; }
    [[nodiscard]] constexpr u32 bank() const { return packed_ >> 16; }

private:
    u32 packed_; // one word, which travels in a register as it is
};

/// What a write of a part of a register does.
enum class PartWrite : u8 {
    lanes,   ///< changes that part: the handler looks at the lanes, or what is written as zero stays as it is
    merge,   ///< changes that part: the handler gets the other bits as they read
    ignored, ///< nothing
};

template <class Frame>
struct RegisterFamily {
    using Read = u64 (*)(Frame &, RegisterOrigin, u32);
    using Write = void (*)(Frame &, RegisterOrigin, u32, u64, u64);

    const char *name; ///< the architecture's, without the frame's prefix
    u32 offset;       ///< of the first register
    u16 count;        ///< of registers
    u8 bytes;         ///< of one register, 4 or 8
    PartWrite part;
    u16 first_index; ///< the number of the first register, where the lower ones are elsewhere
    Read read;       ///< nullptr: reads as zero
    Write write;     ///< nullptr: ignores writes

    // A handler as a plain function, which costs less to call than a pointer to member.
    template <auto Member>
    static constexpr Read reader = +[](Frame &frame, RegisterOrigin origin, u32 index) {
        return (frame.*Member)(origin, index);
    };
    template <auto Member>
    static constexpr Write writer = +[](Frame &frame, RegisterOrigin origin, u32 index, u64 value, u64 lanes) {
        (frame.*Member)(origin, index, value, lanes);
    };
};

/// Reached only in a constant expression, to stop the build.
void register_families_must_be_sorted_and_disjoint();

template <class Frame, usize N>
class RegisterFamilies {
public:
    using Family = RegisterFamily<Frame>;

    consteval explicit RegisterFamilies(const std::array<Family, N> &rows) {
        for (usize i = 0; i < N; ++i) {
            const Family &row = rows[i];
            entries_[i] = {row.offset,      row.offset + u32{row.count} * row.bytes,
                           row.first_index, static_cast<u8>(row.bytes == 8 ? 3 : 2),
                           row.part,        row.read,
                           row.write};
            if ((row.bytes != 4 && row.bytes != 8) || row.offset % row.bytes != 0 ||
                (i > 0 && row.offset < entries_[i - 1].end))
                register_families_must_be_sorted_and_disjoint();
        }
        // Where to start looking, for each 128 bytes of the first 4 KiB, and once for all above.
        for (u32 block = 0; block <= kBlocks; ++block) {
            usize row = 0;
            while (row < N && entries_[row].end <= block * kBlockBytes)
                ++row;
            start_[block] = static_cast<u8>(row);
        }
        // Ends every search, and holds nothing.
        entries_[N].offset = ~u32{0};
        entries_[N].end = ~u32{0};
    }

    [[nodiscard]] Result<u64, BusFault> read(Frame &frame, RegisterOrigin origin, u64 at, Width width) const {
        const u32 offset = static_cast<u32>(at);
        if ((offset & (bytes_of(width) - 1)) != 0) [[unlikely]]
            return Err{BusFault::alignment};
        const Entry &entry = find(offset);
        if (offset < entry.offset)
            return width == Width::b8 ? read_two(frame, origin, offset) : u64{0};
        if (bytes_of(width) != size_of(entry)) [[unlikely]]
            return read_odd(frame, origin, entry, offset, width);
        if (entry.read == nullptr)
            return u64{0};
        return entry.read(frame, origin, place_of(entry, offset).index);
    }

    [[nodiscard]] Status<BusFault> write(Frame &frame, RegisterOrigin origin, u64 at, Width width, u64 value) const {
        const u32 offset = static_cast<u32>(at);
        if ((offset & (bytes_of(width) - 1)) != 0) [[unlikely]]
            return Err{BusFault::alignment};
        const Entry &entry = find(offset);
        if (offset < entry.offset) {
            if (width == Width::b8)
                write_two(frame, origin, offset, value);
            return Ok{};
        }
        if (bytes_of(width) != size_of(entry)) [[unlikely]]
            write_odd(frame, origin, entry, offset, width, value);
        else if (entry.write != nullptr)
            entry.write(frame, origin, place_of(entry, offset).index, value & mask_of(width), mask_of(width));
        return Ok{};
    }

private:
    static constexpr u32 kBlockBytes = 128;
    static constexpr u32 kBlocks = 32;
    static constexpr bool kSmallFrame = requires { requires Frame::kBytes <= kBlocks *kBlockBytes; };
    /// A row as the search wants it.
    struct Entry {
        u32 offset = 0;
        u32 end = 0;
        u16 first_index = 0;
        u8 log2_bytes = 2;
        PartWrite part = PartWrite::lanes;
        typename Family::Read read = nullptr;
        typename Family::Write write = nullptr;
    };
    struct Place {
        u32 index;
        u32 shift;
    };

    [[nodiscard]] static Place place_of(const Entry &entry, u32 offset) {
        const u32 inner = offset - entry.offset;
        return {entry.first_index + (inner >> entry.log2_bytes), (inner & low_mask_of(entry.log2_bytes)) * 8};
    }
    [[nodiscard]] static u32 low_mask_of(u8 log2) { return (u32{1} << log2) - 1; }
    [[nodiscard]] static u32 size_of(const Entry &entry) { return u32{1} << entry.log2_bytes; }

    // What is not exactly one register.
    [[gnu::noinline]] u64 read_odd(Frame &frame, RegisterOrigin origin, const Entry &entry, u32 offset,
                                   Width width) const {
        if (bytes_of(width) > size_of(entry))
            return read_two(frame, origin, offset);
        if (entry.read == nullptr)
            return 0;
        const Place place = place_of(entry, offset);
        return (entry.read(frame, origin, place.index) >> place.shift) & mask_of(width);
    }
    [[gnu::noinline]] void write_odd(Frame &frame, RegisterOrigin origin, const Entry &entry, u32 offset, Width width,
                                     u64 value) const {
        if (bytes_of(width) > size_of(entry)) {
            write_two(frame, origin, offset, value);
            return;
        }
        if (entry.write == nullptr || entry.part == PartWrite::ignored)
            return;
        const Place place = place_of(entry, offset);
        const u64 lanes = mask_of(width) << place.shift;
        u64 whole = (value & mask_of(width)) << place.shift;
        if (entry.part == PartWrite::merge && entry.read != nullptr)
            whole |= entry.read(frame, origin, place.index) & ~lanes;
        entry.write(frame, origin, place.index, whole, lanes);
    }
    /// Two words, which may be registers or none. Aligned words are always taken.
    [[nodiscard]] u64 read_two(Frame &frame, RegisterOrigin origin, u32 offset) const {
        const u64 low = *read(frame, origin, offset, Width::b4);
        return low | *read(frame, origin, offset + 4, Width::b4) << 32;
    }
    void write_two(Frame &frame, RegisterOrigin origin, u32 offset, u64 value) const {
        static_cast<void>(write(frame, origin, offset, Width::b4, value & 0xffff'ffff));
        static_cast<void>(write(frame, origin, offset + 4, Width::b4, value >> 32));
    }
    /// The first entry that ends above `offset`; it holds the offset unless it starts above it.
    [[nodiscard]] const Entry &find(u32 offset) const {
        u32 block = offset / kBlockBytes;
        if constexpr (!kSmallFrame)
            block = offset < kBlocks * kBlockBytes ? block : kBlocks;
        const Entry *entry = &entries_[start_[block]];
        while (entry->end <= offset)
            ++entry;
        return *entry;
    }

    std::array<Entry, N + 1> entries_{};
    std::array<u8, kBlocks + 1> start_{};
};
template <class Frame, usize N>
RegisterFamilies(std::array<RegisterFamily<Frame>, N>) -> RegisterFamilies<Frame, N>;

} // namespace sel4vm::dev
