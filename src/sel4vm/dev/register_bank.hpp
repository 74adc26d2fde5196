// SPDX-License-Identifier: BSD-2-Clause
//
// A device's registers as one constexpr table: name, offset, size, permitted access widths, and the device's member
// functions, or a constant. The bank finds the row of an access, checks width and alignment, cuts sub-word accesses out of
// whole registers; where there is no row, it reads as zero and ignores writes. So a handler sees whole registers only. A row's name is for
// the reader, who finds the specification by it, and is not kept: it would be three words of an image.
// Deliberately without locks, logging or state: a bank is shared by all devices of its type.
//
//     struct Uart::Registers {
//         static constexpr auto kBank = register_bank<Uart, 0x1000>(std::array{
//             reg<Uart, &Uart::data, &Uart::set_data>("DR", 0x00, kWidths124, Narrow::zero_extend),
//             constant<Uart>("ID0", 0xfe0, 0x11),
//         });
//     };
//
// A read function is `u32 f()`, `u64 f()` or either with a RegisterUse; a write function takes `u32` or `u64`, optionally after
// a RegisterUse, which tells the vCPU and, in a family of equal registers, the index.
#pragma once

#include <sel4vm/base/bits.hpp>
#include <sel4vm/vm/device.hpp>

#include <array>
#include <span>
#include <type_traits>

namespace sel4vm::dev {

/// Which use of a register a handler is called for.
class RegisterUse {
public:
    constexpr RegisterUse(VcpuId vcpu, u32 index) : word_(u64{vcpu.value()} << 32 | index) {}
    [[nodiscard]] constexpr VcpuId vcpu() const { return VcpuId{static_cast<u16>(word_ >> 32)}; }
    /// In a family, 0 for the first; else 0.
    [[nodiscard]] constexpr u32 index() const { return static_cast<u32>(word_); }

private:
    u64 word_; // two fields would be put together in memory before every call
};

/// What a store narrower than its register does to the other bytes.
enum class Narrow : u8 {
    merge,       ///< they keep what a read gives: plain storage
    zero_extend, ///< they are written as zero: data ports, write-one-to-clear, peripherals without byte strobes
};

/// A set of Widths.
class Widths {
public:
    constexpr explicit Widths(u8 bytes_mask) : mask_(bytes_mask) {}
    [[nodiscard]] constexpr bool has(Width width) const { return (mask_ & bytes_of(width)) != 0; }
    friend constexpr Widths operator|(Widths a, Widths b) { return Widths{static_cast<u8>(a.mask_ | b.mask_)}; }
    [[nodiscard]] constexpr bool none_wider_than(unsigned bytes) const { return mask_ < 2 * bytes; }

private:
    u8 mask_;
};
inline constexpr Widths kWidth1{1};
inline constexpr Widths kWidth2{2};
inline constexpr Widths kWidth4{4};
inline constexpr Widths kWidth8{8};
inline constexpr Widths kWidths14 = kWidth1 | kWidth4;
inline constexpr Widths kWidths124 = kWidth1 | kWidth2 | kWidth4;
inline constexpr Widths kWidths48 = kWidth4 | kWidth8;

/// One register, or `count` equal ones beside each other.
template <class Device>
struct Reg {
    /// Never fails: as the bank's own, so that calling it can be the last that the bank does.
    using Read = Result<u64, BusFault> (*)(Device &, RegisterUse);
    using Write = void (*)(Device &, RegisterUse, u64);

    u32 offset = 0; ///< of the first; a multiple of size_bytes
    u32 count = 1;
    u8 size_bytes = 4; ///< of one register: 4 or 8
    Widths widths = kWidth4;
    Narrow narrow = Narrow::merge;
    u8 whole_bytes = 0;    ///< size_bytes when one access may have all of it, else 0; the bank sees to it
    Read read = nullptr;   ///< none: reads as `value`
    Write write = nullptr; ///< none: writes are ignored
    u64 value = 0;

    [[nodiscard]] constexpr u32 end() const { return offset + count * size_bytes; }
};

namespace detail {

template <class Device, auto Function>
constexpr typename Reg<Device>::Read read_thunk() {
    if constexpr (std::is_same_v<decltype(Function), std::nullptr_t>) {
        return nullptr;
    } else {
        return +[](Device &device, RegisterUse use) -> Result<u64, BusFault> {
            if constexpr (std::is_invocable_v<decltype(Function), Device &, RegisterUse>)
                return u64{(device.*Function)(use)};
            else
                return u64{(device.*Function)()};
        };
    }
}

template <class Device, auto Function>
constexpr typename Reg<Device>::Write write_thunk() {
    if constexpr (std::is_same_v<decltype(Function), std::nullptr_t>) {
        return nullptr;
    } else {
        return +[](Device &device, RegisterUse use, u64 value) {
            using F = decltype(Function);
            if constexpr (std::is_same_v<F, void (Device::*)(RegisterUse, u64)>)
                (device.*Function)(use, value);
            else if constexpr (std::is_same_v<F, void (Device::*)(RegisterUse, u32)>)
                (device.*Function)(use, static_cast<u32>(value));
            else if constexpr (std::is_same_v<F, void (Device::*)(u64)>)
                (device.*Function)(value);
            else {
                static_assert(std::is_same_v<F, void (Device::*)(u32)>,
                              "a write function takes (RegisterUse,) u32 or u64");
                (device.*Function)(static_cast<u32>(value));
            }
        };
    }
}

/// Declared, never defined: reaching one makes a constant expression ill-formed, and its name is the message.
void register_rows_must_be_sorted_and_disjoint();
void register_row_is_misaligned_or_outside_the_window();
void register_row_permits_accesses_wider_than_the_register();

} // namespace detail

/// A register with its functions; nullptr for one that cannot be read (reads as zero) or written (writes are ignored).
template <class Device, auto ReadFunction, auto WriteFunction>
constexpr Reg<Device> reg(const char *, u32 offset, Widths widths = kWidth4, Narrow narrow = Narrow::merge) {
    Reg<Device> row;
    row.offset = offset;
    row.widths = widths;
    row.narrow = narrow;
    row.read = detail::read_thunk<Device, ReadFunction>();
    row.write = detail::write_thunk<Device, WriteFunction>();
    return row;
}

/// A 64-bit register.
template <class Device, auto ReadFunction, auto WriteFunction>
constexpr Reg<Device> reg64(const char *name, u32 offset, Widths widths = kWidths48, Narrow narrow = Narrow::merge) {
    Reg<Device> row = reg<Device, ReadFunction, WriteFunction>(name, offset, widths, narrow);
    row.size_bytes = 8;
    return row;
}

/// `count` registers beside each other with the same functions, which take a RegisterUse.
template <class Device>
constexpr Reg<Device> family(Reg<Device> row, u32 count) {
    row.count = count;
    return row;
}

/// A read-only register that always holds `value`.
template <class Device>
constexpr Reg<Device> constant(const char *, u32 offset, u64 value, Widths widths = kWidths124) {
    Reg<Device> row;
    row.offset = offset;
    row.widths = widths;
    row.value = value;
    return row;
}

/// How the row of an offset is found.
enum class RowSearch : u8 {
    index,     ///< through a byte for each word of the window, which is at most 4 KiB: for devices on busy paths
    bisection, ///< without anything beside the rows
};

/// The table of a device whose range is `Window` bytes.
template <class Device, u32 Window, RowSearch Search, usize N>
class RegisterBank {
    static_assert(N > 0 && N < 255);
    static_assert(Search == RowSearch::bisection || Window <= 4096);

public:
    consteval explicit RegisterBank(const std::array<Reg<Device>, N> &rows) : rows_(rows) {
        for (usize i = 0; i < N; ++i) {
            const Reg<Device> &row = rows_[i];
            if (i > 0 && row.offset < rows_[i - 1].end())
                detail::register_rows_must_be_sorted_and_disjoint();
            if (row.offset % row.size_bytes != 0 || row.end() > Window || (row.size_bytes != 4 && row.size_bytes != 8))
                detail::register_row_is_misaligned_or_outside_the_window();
            if (!row.widths.none_wider_than(row.size_bytes))
                detail::register_row_permits_accesses_wider_than_the_register();
            if constexpr (kIndexed) {
                for (u32 at = row.offset; at < row.end(); at += 4)
                    index_[at / 4] = static_cast<u8>(i + 1);
            }
            if (row.widths.has(row.size_bytes == 4 ? Width::b4 : Width::b8))
                rows_[i].whole_bytes = row.size_bytes;
        }
    }

    [[nodiscard]] Result<u64, BusFault> read(Device &device, const Access &access) const {
        const Reg<Device> *row = row_at(access.offset);
        if (is_whole(row, access)) [[likely]]
            return read_whole(device, *row, use_of(*row, access));
        return read_part(device, row, access);
    }

    [[nodiscard]] Status<BusFault> write(Device &device, const Access &access, u64 value) const {
        const Reg<Device> *row = row_at(access.offset);
        if (!is_whole(row, access)) [[unlikely]]
            return write_part(device, row, access, value);
        if (row->write != nullptr)
            row->write(device, use_of(*row, access), value);
        return Ok{};
    }

    [[nodiscard]] constexpr std::span<const Reg<Device>> rows() const { return rows_; }

private:
    static constexpr bool kIndexed = Search == RowSearch::index;

    /// Nothing is to be refused, and nothing to be cut: what nearly every access is.
    [[nodiscard]] static constexpr bool is_whole(const Reg<Device> *row, const Access &access) {
        return row != nullptr && row->whole_bytes == bytes_of(access.width) && aligned(access);
    }

    // What is narrower than its register, or nowhere, or wrong.
    [[nodiscard, gnu::noinline]] Result<u64, BusFault> read_part(Device &device, const Reg<Device> *row,
                                                                 const Access &access) const {
        if (!permits(row, access))
            return Err{refusal_of(access)};
        if (row == nullptr)
            return u64{0};
        return *read_whole(device, *row, use_of(*row, access)) >> shift_of(*row, access) & mask_of(access.width);
    }

    [[nodiscard, gnu::noinline]] Status<BusFault> write_part(Device &device, const Reg<Device> *row,
                                                             const Access &access, u64 value) const {
        if (!permits(row, access))
            return Err{refusal_of(access)};
        if (row == nullptr || row->write == nullptr)
            return Ok{};
        const RegisterUse use = use_of(*row, access);
        const unsigned shift = shift_of(*row, access);
        value = (value & mask_of(access.width)) << shift;
        if (row->narrow == Narrow::merge)
            value |= *read_whole(device, *row, use) & ~(mask_of(access.width) << shift);
        row->write(device, use, value);
        return Ok{};
    }

    [[nodiscard]] static Result<u64, BusFault> read_whole(Device &device, const Reg<Device> &row, RegisterUse use) {
        if (row.read == nullptr)
            return row.value;
        return row.read(device, use);
    }

    [[nodiscard]] static constexpr RegisterUse use_of(const Reg<Device> &row, const Access &access) {
        const u32 inside = static_cast<u32>(access.offset) - row.offset;
        // A size is 4 or 8, so this is a shift and not a division.
        return {access.vcpu, inside >> (2 + row.size_bytes / 8)};
    }
    /// Of the access inside its register, in bits.
    [[nodiscard]] static constexpr unsigned shift_of(const Reg<Device> &row, const Access &access) {
        return (static_cast<u32>(access.offset) & (row.size_bytes - 1U)) * 8;
    }

    [[nodiscard]] constexpr const Reg<Device> *row_at(u64 offset) const {
        if (offset >= Window)
            return nullptr;
        if constexpr (kIndexed) {
            const u8 entry = index_[offset / 4];
            return entry == 0 ? nullptr : &rows_[entry - 1U];
        } else {
            usize low = 0;
            usize high = N;
            while (low < high) {
                const usize middle = (low + high) / 2;
                if (offset >= rows_[middle].end())
                    low = middle + 1;
                else
                    high = middle;
            }
            return low < N && offset >= rows_[low].offset ? &rows_[low] : nullptr;
        }
    }

    [[nodiscard]] static constexpr bool aligned(const Access &access) {
        return (access.offset & (bytes_of(access.width) - 1)) == 0;
    }
    /// `row`: the one at the access's offset, nullptr where nothing is.
    [[nodiscard]] constexpr bool permits(const Reg<Device> *row, const Access &access) const {
        if (!aligned(access)) [[unlikely]]
            return false;
        if (row != nullptr)
            return row->widths.has(access.width);
        // A doubleword may begin in a hole and end in a register.
        return access.width != Width::b8 || row_at(access.offset + 4) == nullptr;
    }
    [[nodiscard]] static constexpr BusFault refusal_of(const Access &access) {
        return aligned(access) ? BusFault::width : BusFault::alignment;
    }

    struct Nothing {};
    std::array<Reg<Device>, N> rows_;
    [[no_unique_address]] std::conditional_t<kIndexed, std::array<u8, Window / 4>, Nothing> index_{};
};

template <class Device, u32 Window, RowSearch Search = (Window <= 4096 ? RowSearch::index : RowSearch::bisection),
          usize N>
consteval RegisterBank<Device, Window, Search, N> register_bank(const std::array<Reg<Device>, N> &rows) {
    return RegisterBank<Device, Window, Search, N>(rows);
}

} // namespace sel4vm::dev
