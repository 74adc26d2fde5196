// SPDX-License-Identifier: BSD-2-Clause
//
// A set of the vCPUs of one GIC, as two words.
#pragma once

#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::dev {

class CpuSet {
public:
    static constexpr u32 kCapacity = 128;

    constexpr CpuSet() = default;
    [[nodiscard]] static constexpr CpuSet of(u32 cpu) {
        return cpu < 64 ? CpuSet(bit<u64>(cpu), 0) : CpuSet(0, bit<u64>(cpu - 64));
    }

    /// Of the first 64, by their bits.
    [[nodiscard]] static constexpr CpuSet of_first(u64 mask) { return CpuSet(mask, 0); }

    [[nodiscard]] constexpr bool empty() const { return (low_ | high_) == 0; }
    [[nodiscard]] constexpr bool has(u32 cpu) const { return intersects(of(cpu)); }
    [[nodiscard]] constexpr bool intersects(const CpuSet &other) const {
        return ((low_ & other.low_) | (high_ & other.high_)) != 0;
    }
    constexpr void add(const CpuSet &other) {
        low_ |= other.low_;
        high_ |= other.high_;
    }
    constexpr void remove(const CpuSet &other) {
        low_ &= ~other.low_;
        high_ &= ~other.high_;
    }
    /// Calls function(vCPU) for each, the lowest number first.
    template <class Function>
    constexpr void for_each(Function function) const {
        for (u64 rest = low_; rest != 0; rest &= rest - 1)
            function(static_cast<u32>(std::countr_zero(rest)));
        for (u64 rest = high_; rest != 0; rest &= rest - 1)
            function(64 + static_cast<u32>(std::countr_zero(rest)));
    }
    friend constexpr bool operator==(const CpuSet &, const CpuSet &) = default;

private:
    constexpr CpuSet(u64 low, u64 high) : low_(low), high_(high) {}
    u64 low_ = 0;
    u64 high_ = 0;
};

} // namespace sel4vm::dev
