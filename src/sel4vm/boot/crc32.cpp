// SPDX-License-Identifier: BSD-2-Clause
//
// Half a byte at a time, by a small table: the target's image has a budget, and what passes through here on the target is short.
// Tens of MiB take the workstation tool a fraction of a second all the same.
#include <sel4vm/boot/crc32.hpp>

#include <array>

namespace sel4vm::boot {
namespace {

consteval std::array<u32, 16> make_table() {
    std::array<u32, 16> table{};
    for (u32 i = 0; i < 16; ++i) {
        u32 value = i;
        for (int step = 0; step < 4; ++step)
            value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb8'8320u : 0u);
        table[i] = value;
    }
    return table;
}

constexpr std::array<u32, 16> kTable = make_table();

} // namespace

u32 crc32(std::span<const u8> bytes, u32 previous) {
    u32 crc = ~previous;
    for (const u8 byte : bytes) {
        crc ^= byte;
        crc = (crc >> 4) ^ kTable[crc & 0xf];
        crc = (crc >> 4) ^ kTable[crc & 0xf];
    }
    return ~crc;
}

} // namespace sel4vm::boot
