// SPDX-License-Identifier: BSD-2-Clause
//
// Half-open address ranges that cannot wrap: made only by a checked factory, never empty. The last byte of the address
// space cannot be part of a range, which costs nothing here and keeps `end()` representable.
#pragma once

#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/types.hpp>

#include <optional>

namespace sel4vm {

template <class Address>
class Range {
public:
    /// No value when size is 0 or base + size does not fit in 64 bits.
    [[nodiscard]] static constexpr std::optional<Range> make(Address base, u64 size_bytes) {
        if (size_bytes == 0 || size_bytes > ~u64{0} - base.value())
            return std::nullopt;
        return Range{base.value(), size_bytes};
    }

    [[nodiscard]] constexpr Address base() const { return Address{base_}; }
    [[nodiscard]] constexpr u64 size() const { return size_; }
    /// One past the last byte.
    [[nodiscard]] constexpr Address end() const { return Address{base_ + size_}; }

    [[nodiscard]] constexpr bool contains(Address at) const {
        // Below the base the difference wraps to more than any size, since no range reaches the end of the address space.
        return at.value() - base_ < size_;
    }
    /// True when all `size_bytes` bytes from `at` lie inside; false for an empty access.
    [[nodiscard]] constexpr bool contains(Address at, u64 size_bytes) const {
        return contains(at) && size_bytes != 0 && size_bytes <= size_ - (at.value() - base_);
    }
    [[nodiscard]] constexpr bool contains(const Range &other) const { return contains(other.base(), other.size_); }
    [[nodiscard]] constexpr bool overlaps(const Range &other) const {
        return base_ < other.base_ + other.size_ && other.base_ < base_ + size_;
    }
    /// Distance of `at` from the base; `at` must be inside.
    [[nodiscard]] constexpr u64 offset_of(Address at) const {
        SEL4VM_ASSERT(contains(at));
        return at.value() - base_;
    }
    [[nodiscard]] constexpr bool is_aligned_to(u64 alignment) const {
        return is_aligned(base_, alignment) && is_aligned(size_, alignment);
    }
    friend constexpr bool operator==(const Range &, const Range &) = default;

private:
    constexpr Range(u64 base, u64 size) : base_(base), size_(size) {}
    u64 base_;
    u64 size_;
};

using GpaRange = Range<Gpa>;
using HostPhysRange = Range<HostPhys>;

} // namespace sel4vm
