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

class IrqRegisters;

/// Handlers of a row: what is read, and value and lanes of what is written, both of the register with this number.
using FamilyRead = u64 (*)(IrqRegisters &, RegisterOrigin, u32);
using FamilyWrite = void (*)(IrqRegisters &, RegisterOrigin, u32, u64, u64);

template <class>
struct ClassOfMember;
template <class Class, class Return, class... Parameters>
struct ClassOfMember<Return (Class::*)(Parameters...)> {
    using Type = Class;
};

// A handler as a plain function, which costs less to call than a pointer to member. One for all frames that have the handler from
// their base class.
template <auto Member>
u64 family_read(IrqRegisters &frame, RegisterOrigin origin, u32 index) {
    return (static_cast<typename ClassOfMember<decltype(Member)>::Type &>(frame).*Member)(origin, index);
}
template <auto Member>
void family_write(IrqRegisters &frame, RegisterOrigin origin, u32 index, u64 value, u64 lanes) {
    (static_cast<typename ClassOfMember<decltype(Member)>::Type &>(frame).*Member)(origin, index, value, lanes);
}

template <class Frame>
struct RegisterFamily {
    using Read = FamilyRead;
    using Write = FamilyWrite;

    const char *name; ///< the architecture's, without the frame's prefix
    u32 offset;       ///< of the first register
    u16 count;        ///< of registers
    u8 bytes;         ///< of one register, 4 or 8
    PartWrite part;
    u16 first_index; ///< the number of the first register, where the lower ones are elsewhere
    Read read;       ///< nullptr: reads as zero
    Write write;     ///< nullptr: ignores writes

    template <auto Member>
    static constexpr Read reader = &family_read<Member>;
    template <auto Member>
    static constexpr Write writer = &family_write<Member>;
};

/// A row as the search wants it.
struct FamilyEntry {
    u32 offset = 0;
    u32 end = 0;
    u16 first_index = 0;
    u8 log2_bytes = 2;
    PartWrite part = PartWrite::lanes;
    FamilyRead read = nullptr;
    FamilyWrite write = nullptr;

    /// Whether the access is to exactly one of its registers.
    [[nodiscard]] bool has_whole(u32 at, Width width) const {
        return at >= offset && bytes_of(width) >> log2_bytes == 1;
    }
    [[nodiscard]] u32 index_at(u32 at) const { return first_index + ((at - offset) >> log2_bytes); }
    /// Of the access inside its register, in bits.
    [[nodiscard]] u32 shift_at(u32 at) const { return ((at - offset) & ((u32{1} << log2_bytes) - 1)) * 8; }
};

// Accesses that are not exactly one register: made of parts of at most a word, each of which is a register, a part of one, or
// nothing. `entry`: the first that ends above the offset.
[[nodiscard]] u64 read_parts(const FamilyEntry *entry, IrqRegisters &frame, RegisterOrigin origin, u32 offset,
                             Width width);
void write_parts(const FamilyEntry *entry, IrqRegisters &frame, RegisterOrigin origin, u32 offset, Width width,
                 u64 value);

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
        const FamilyEntry &entry = find(offset);
        if (!entry.has_whole(offset, width)) [[unlikely]]
            return read_parts(&entry, frame, origin, offset, width);
        if (entry.read == nullptr)
            return u64{0};
        return entry.read(frame, origin, entry.index_at(offset));
    }

    [[nodiscard]] Status<BusFault> write(Frame &frame, RegisterOrigin origin, u64 at, Width width, u64 value) const {
        const u32 offset = static_cast<u32>(at);
        if ((offset & (bytes_of(width) - 1)) != 0) [[unlikely]]
            return Err{BusFault::alignment};
        const FamilyEntry &entry = find(offset);
        if (!entry.has_whole(offset, width)) [[unlikely]]
            write_parts(&entry, frame, origin, offset, width, value);
        else if (entry.write != nullptr)
            entry.write(frame, origin, entry.index_at(offset), value & mask_of(width), mask_of(width));
        return Ok{};
    }

private:
    static constexpr u32 kBlockBytes = 128;
    static constexpr u32 kBlocks = 32;
    static constexpr bool kSmallFrame = requires { requires Frame::kBytes <= kBlocks *kBlockBytes; };
    /// The first entry that ends above `offset`; it holds the offset unless it starts above it.
    [[nodiscard]] const FamilyEntry &find(u32 offset) const {
        u32 block = offset / kBlockBytes;
        if constexpr (!kSmallFrame)
            block = offset < kBlocks * kBlockBytes ? block : kBlocks;
        const FamilyEntry *entry = &entries_[start_[block]];
        while (entry->end <= offset)
            ++entry;
        return *entry;
    }

    std::array<FamilyEntry, N + 1> entries_{};
    std::array<u8, kBlocks + 1> start_{};
};
template <class Frame, usize N>
RegisterFamilies(std::array<RegisterFamily<Frame>, N>) -> RegisterFamilies<Frame, N>;

} // namespace sel4vm::dev
