// SPDX-License-Identifier: BSD-2-Clause
//
// See fdt_check.hpp.
#include <sel4vm/boot/fdt_check.hpp>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/boot/bytes.hpp>

#include <libfdt.h>

namespace sel4vm::boot {

bool is_well_formed_fdt(std::span<const u8> tree) {
    constexpr usize kLargest = 0x7fff'ffff; // libfdt counts in int
    constexpr usize kVersionAt = 20;
    // Before version 16 node names were whole paths; libfdt 1.6.1's fdt_check_full() reads through a null pointer when
    // the root's is not one.
    constexpr u32 kOldest = 16;
    // SAFETY: only the address is looked at; libfdt reads aligned words.
    if (tree.size() < FDT_V16_SIZE || tree.size() > kLargest || !is_aligned(reinterpret_cast<uptr>(tree.data()), 8))
        return false;
    if (load_be<u32>(tree, kVersionAt) < kOldest)
        return false;
    return fdt_check_full(tree.data(), tree.size()) == 0;
}

} // namespace sel4vm::boot
