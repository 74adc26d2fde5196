// SPDX-License-Identifier: BSD-2-Clause
//
// Tables of register families, the GIC's kind of register file: each row is a run of equal registers that hold a few bits
// for each of many interrupts. The table owns offsets, widths, alignment and lanes, so that a handler sees the number of
// the register, and on a write which of its bits are written. Offsets without a row read as zero and ignore writes.
#pragma once

#include <sel4vm/base/bits.hpp>
#include <sel4vm/vm/device.hpp>

#include <array>

namespace sel4vm::dev {

/// Who accesses, and whose private interrupts the register shows.
struct RegisterOrigin {
    u16 caller = 0;
    u16 bank = 0;
};

/// Widths that a row allows, as a mask of byte counts.
enum class FamilyWidths : u8 { word = 4, byte_or_word = 1 | 4, word_or_double = 4 | 8 };

template <class Frame>
struct RegisterFamily {
    using Read = u64 (Frame::*)(const RegisterOrigin &, u32);
    using Write = void (Frame::*)(const RegisterOrigin &, u32, u64, u64);

    const char *name; ///< the architecture's, without the frame's prefix
    u32 offset;       ///< of the first register
    u16 count;        ///< of registers
    u8 bytes;         ///< of one register, 4 or 8
    FamilyWidths widths;
    u16 first_index; ///< the number of the first register, where the lower ones are elsewhere
    Read read;       ///< nullptr: reads as zero
    Write write;     ///< nullptr: ignores writes
};

/// Reached only in a constant expression, to stop the build.
void register_families_must_be_sorted_and_disjoint();

template <class Frame, usize N>
class RegisterFamilies {
public:
    using Family = RegisterFamily<Frame>;

    consteval explicit RegisterFamilies(const std::array<Family, N> &rows) : rows_(rows) {
        for (usize i = 0; i < N; ++i) {
            if ((rows[i].bytes != 4 && rows[i].bytes != 8) || rows[i].offset % rows[i].bytes != 0 ||
                (i > 0 && rows[i].offset < end_of(rows[i - 1])))
                register_families_must_be_sorted_and_disjoint();
        }
        // Where to start looking, for each 128 bytes of the first 4 KiB, and once for all above.
        for (usize block = 0; block <= kBlocks; ++block) {
            usize row = 0;
            while (row < N && end_of(rows[row]) <= block * kBlockBytes)
                ++row;
            start_[block] = static_cast<u8>(row);
        }
    }

    [[nodiscard]] Result<u64, BusFault> read(Frame &frame, const RegisterOrigin &origin, u64 offset,
                                             Width width) const {
        if (offset % bytes_of(width) != 0)
            return Err{BusFault::alignment};
        const Family *row = find(offset);
        if (row == nullptr)
            return u64{0};
        if ((static_cast<unsigned>(row->widths) & bytes_of(width)) == 0)
            return Err{BusFault::width};
        if (row->read == nullptr)
            return u64{0};
        const Place place = place_of(*row, offset);
        return ((frame.*row->read)(origin, place.index) >> place.shift) & mask_of(width);
    }

    [[nodiscard]] Status<BusFault> write(Frame &frame, const RegisterOrigin &origin, u64 offset, Width width,
                                         u64 value) const {
        if (offset % bytes_of(width) != 0)
            return Err{BusFault::alignment};
        const Family *row = find(offset);
        if (row == nullptr)
            return Ok{};
        if ((static_cast<unsigned>(row->widths) & bytes_of(width)) == 0)
            return Err{BusFault::width};
        if (row->write == nullptr)
            return Ok{};
        const Place place = place_of(*row, offset);
        (frame.*row->write)(origin, place.index, (value & mask_of(width)) << place.shift,
                            mask_of(width) << place.shift);
        return Ok{};
    }

    /// For documentation and tests.
    [[nodiscard]] constexpr const std::array<Family, N> &rows() const { return rows_; }

private:
    static constexpr usize kBlockBytes = 128;
    static constexpr usize kBlocks = 32;
    struct Place {
        u32 index;
        u32 shift;
    };

    [[nodiscard]] static constexpr u64 end_of(const Family &row) { return row.offset + u64{row.count} * row.bytes; }
    [[nodiscard]] static Place place_of(const Family &row, u64 offset) {
        const u32 inner = static_cast<u32>(offset - row.offset);
        const u32 log2_bytes = row.bytes == 8 ? 3 : 2;
        return {row.first_index + (inner >> log2_bytes), (inner & (row.bytes - 1u)) * 8};
    }
    [[nodiscard]] const Family *find(u64 offset) const {
        const usize block = offset < kBlocks * kBlockBytes ? static_cast<usize>(offset / kBlockBytes) : kBlocks;
        for (usize i = start_[block]; i < N && rows_[i].offset <= offset; ++i) {
            if (offset < end_of(rows_[i]))
                return &rows_[i];
        }
        return nullptr;
    }

    std::array<Family, N> rows_;
    std::array<u8, kBlocks + 1> start_{};
};
template <class Frame, usize N>
RegisterFamilies(std::array<RegisterFamily<Frame>, N>) -> RegisterFamilies<Frame, N>;

} // namespace sel4vm::dev
