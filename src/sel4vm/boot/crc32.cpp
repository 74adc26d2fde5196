// SPDX-License-Identifier: BSD-2-Clause
//
// Eight table look-ups per eight bytes: an image of tens of MiB is checked by the workstation tool at each start.
#include <sel4vm/boot/crc32.hpp>

#include <array>

namespace sel4vm::boot {
namespace {

using Table = std::array<u32, 256>;

constexpr std::array<Table, 8> make_tables() {
    std::array<Table, 8> tables{};
    for (u32 i = 0; i < 256; ++i) {
        u32 value = i;
        for (int step = 0; step < 8; ++step)
            value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb8'8320u : 0u);
        tables[0][i] = value;
    }
    for (usize t = 1; t < tables.size(); ++t)
        for (usize i = 0; i < 256; ++i)
            tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xff];
    return tables;
}

constexpr std::array<Table, 8> kTables = make_tables();

} // namespace

u32 crc32(std::span<const u8> bytes, u32 previous) {
    u32 crc = ~previous;
    while (bytes.size() >= 8) {
        const u32 low = crc ^ (u32{bytes[0]} | u32{bytes[1]} << 8 | u32{bytes[2]} << 16 | u32{bytes[3]} << 24);
        crc = kTables[7][low & 0xff] ^ kTables[6][(low >> 8) & 0xff] ^ kTables[5][(low >> 16) & 0xff] ^
              kTables[4][low >> 24] ^ kTables[3][bytes[4]] ^ kTables[2][bytes[5]] ^ kTables[1][bytes[6]] ^
              kTables[0][bytes[7]];
        bytes = bytes.subspan(8);
    }
    for (const u8 byte : bytes)
        crc = (crc >> 8) ^ kTables[0][(crc ^ byte) & 0xff];
    return ~crc;
}

} // namespace sel4vm::boot
