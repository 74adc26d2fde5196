// SPDX-License-Identifier: BSD-2-Clause
//
// Points in time and amounts of it, in ticks of a counter.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

/// Later than everything.
inline constexpr u64 kNever = ~u64{0};

/// `left` comes before `right` in an order that wraps: the way between the two is shorter than half of all numbers.
[[nodiscard]] constexpr bool is_before(u64 left, u64 right) { return static_cast<i64>(left - right) < 0; }

} // namespace sel4vm::el2
