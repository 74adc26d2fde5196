// SPDX-License-Identifier: BSD-2-Clause
//
// Numbers in byte buffers of foreign formats: any alignment, stated byte order, bounds checked by the caller's proof.
#pragma once

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/types.hpp>

#include <concepts>
#include <span>

namespace sel4vm::boot {

/// True when `size` bytes from `offset` lie inside a buffer of `total` bytes; no sum is formed that could wrap.
[[nodiscard]] constexpr bool fits(u64 total, u64 offset, u64 size) { return offset <= total && size <= total - offset; }

template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_le(std::span<const u8> bytes, usize offset) {
    SEL4VM_ASSERT(fits(bytes.size(), offset, sizeof(T)));
    T value = 0;
    for (usize i = sizeof(T); i > 0; --i)
        value = static_cast<T>(static_cast<T>(value << 8) | bytes[offset + i - 1]);
    return value;
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_be(std::span<const u8> bytes, usize offset) {
    SEL4VM_ASSERT(fits(bytes.size(), offset, sizeof(T)));
    T value = 0;
    for (usize i = 0; i < sizeof(T); ++i)
        value = static_cast<T>(static_cast<T>(value << 8) | bytes[offset + i]);
    return value;
}

template <std::unsigned_integral T>
constexpr void store_le(std::span<u8> bytes, usize offset, T value) {
    SEL4VM_ASSERT(fits(bytes.size(), offset, sizeof(T)));
    for (usize i = 0; i < sizeof(T); ++i)
        bytes[offset + i] = static_cast<u8>(value >> (8 * i));
}

} // namespace sel4vm::boot
