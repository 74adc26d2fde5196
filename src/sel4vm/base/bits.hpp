// SPDX-License-Identifier: BSD-2-Clause
//
// Bit and alignment arithmetic with every precondition checked or impossible to violate.
#pragma once

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/types.hpp>

#include <bit>
#include <concepts>
#include <optional>

namespace sel4vm {

template <std::unsigned_integral T = u64>
[[nodiscard]] constexpr T bit(unsigned n) {
    SEL4VM_ASSERT(n < sizeof(T) * 8);
    return static_cast<T>(T{1} << n);
}

/// The low `count` bits set; count may be 0 or the whole width.
template <std::unsigned_integral T = u64>
[[nodiscard]] constexpr T low_mask(unsigned count) {
    SEL4VM_ASSERT(count <= sizeof(T) * 8);
    return count == 0 ? T{0} : static_cast<T>(static_cast<T>(~T{0}) >> (sizeof(T) * 8 - count));
}

/// Bits hi..lo of `value`, both inclusive, moved down to bit 0.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T bits_of(T value, unsigned hi, unsigned lo) {
    return static_cast<T>((value >> lo) & low_mask<T>(hi - lo + 1));
}

/// Sign-extends the low `count` bits (1 to 64) of `value`.
[[nodiscard]] constexpr u64 sign_extend(u64 value, unsigned count) {
    SEL4VM_ASSERT(count >= 1 && count <= 64);
    const u64 sign = u64{1} << (count - 1);
    const u64 low = value & low_mask(count);
    return (low ^ sign) - sign;
}

/// std::has_single_bit() counts bits, which without SIMD registers is a function call.
[[nodiscard]] constexpr bool is_power_of_two(u64 value) { return value != 0 && (value & (value - 1)) == 0; }

[[nodiscard]] constexpr bool is_aligned(u64 value, u64 alignment) {
    SEL4VM_ASSERT(is_power_of_two(alignment));
    return (value & (alignment - 1)) == 0;
}
[[nodiscard]] constexpr u64 align_down(u64 value, u64 alignment) {
    SEL4VM_ASSERT(is_power_of_two(alignment));
    return value & ~(alignment - 1);
}
/// Rounds up; no value when the result does not fit in 64 bits.
[[nodiscard]] constexpr std::optional<u64> align_up(u64 value, u64 alignment) {
    const u64 down = align_down(value, alignment);
    if (down == value)
        return value;
    if (down > ~u64{0} - alignment)
        return std::nullopt;
    return down + alignment;
}
/// Sum, or no value when it does not fit in 64 bits.
[[nodiscard]] constexpr std::optional<u64> checked_add(u64 a, u64 b) {
    if (b > ~u64{0} - a)
        return std::nullopt;
    return a + b;
}

} // namespace sel4vm
