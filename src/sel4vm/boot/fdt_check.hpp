// SPDX-License-Identifier: BSD-2-Clause
//
// The one gate for flattened device trees from outside: after it, libfdt's functions may be used on the tree.
#pragma once

#include <sel4vm/base/types.hpp>

#include <span>

namespace sel4vm::boot {

/// True when `tree` begins with a well-formed flattened device tree of format version 16 or later (any since 2005)
/// that lies inside of it, and is 8-byte aligned.
[[nodiscard]] bool is_well_formed_fdt(std::span<const u8> tree);

} // namespace sel4vm::boot
