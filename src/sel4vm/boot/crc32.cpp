// SPDX-License-Identifier: BSD-2-Clause
//
// One table, because the target's image is small: tens of MiB take the workstation tool a tenth of a second all the same.
#include <sel4vm/boot/crc32.hpp>

#include <array>

namespace sel4vm::boot {
namespace {

constexpr std::array<u32, 256> make_table() {
    std::array<u32, 256> table{};
    for (u32 i = 0; i < 256; ++i) {
        u32 value = i;
        for (int step = 0; step < 8; ++step)
            value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb8'8320u : 0u);
        table[i] = value;
    }
    return table;
}

constexpr std::array<u32, 256> kTable = make_table();

} // namespace

u32 crc32(std::span<const u8> bytes, u32 previous) {
    u32 crc = ~previous;
    for (const u8 byte : bytes)
        crc = (crc >> 8) ^ kTable[(crc ^ byte) & 0xff];
    return ~crc;
}

} // namespace sel4vm::boot
