// SPDX-License-Identifier: BSD-2-Clause
//
// Makes small kernel files of every format, right ones and, by their parameters, wrong ones.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/crc32.hpp>

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace sel4vm::test {

using Bytes = std::vector<u8>;

inline void put_text(Bytes &file, usize at, std::string_view text) {
    std::copy(text.begin(), text.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
}

inline void store_be32(Bytes &file, usize at, u32 value) {
    for (usize i = 0; i < 4; ++i)
        file[at + i] = static_cast<u8>(value >> (24 - 8 * i));
}

inline Bytes arm64_image(u64 text_offset, u64 image_size, u64 flags = 0, usize file_bytes = 4096) {
    Bytes file(file_bytes);
    boot::store_le<u32>(file, 0, 0x1400'0000);
    boot::store_le<u64>(file, 8, text_offset);
    boot::store_le<u64>(file, 16, image_size);
    boot::store_le<u64>(file, 24, flags);
    put_text(file, 56, "ARM\x64");
    return file;
}

struct ElfSegment {
    u64 physical;
    u64 linked;
    u64 file_bytes = 0x1000;
    u64 memory_bytes = 0x2000;
    u64 offset = 0x1000;
    u32 type = 1;
    u32 flags = 5;
};

inline Bytes elf(u64 entry, const std::vector<ElfSegment> &segments, u16 type = 2, u16 machine = 183) {
    Bytes file(0x3000, 0xcc);
    std::fill(file.begin(), file.begin() + 0x1000, u8{0});
    put_text(file, 0,
             "\x7f"
             "ELF\x02\x01\x01");
    boot::store_le<u16>(file, 16, type);
    boot::store_le<u16>(file, 18, machine);
    boot::store_le<u32>(file, 20, 1);
    boot::store_le<u64>(file, 24, entry);
    boot::store_le<u64>(file, 32, 64);
    boot::store_le<u16>(file, 52, 64);
    boot::store_le<u16>(file, 54, 56);
    boot::store_le<u16>(file, 56, static_cast<u16>(segments.size()));
    usize at = 64;
    for (const ElfSegment &s : segments) {
        boot::store_le<u32>(file, at, s.type);
        boot::store_le<u32>(file, at + 4, s.flags);
        boot::store_le<u64>(file, at + 8, s.offset);
        boot::store_le<u64>(file, at + 16, s.linked);
        boot::store_le<u64>(file, at + 24, s.physical);
        boot::store_le<u64>(file, at + 32, s.file_bytes);
        boot::store_le<u64>(file, at + 40, s.memory_bytes);
        at += 56;
    }
    return file;
}

/// Makes the checksum of a uImage's header right.
inline void seal_uimage(Bytes &file) {
    store_be32(file, 4, 0);
    store_be32(file, 4, boot::crc32(std::span(file).first(64)));
}

inline Bytes uimage(u8 type, u32 load, u32 entry, u8 os = 5, u8 compression = 0, u32 data_bytes = 4096) {
    Bytes file(64 + data_bytes);
    store_be32(file, 0, 0x2705'1956);
    store_be32(file, 12, data_bytes);
    store_be32(file, 16, load);
    store_be32(file, 20, entry);
    file[28] = os;
    file[29] = 22;
    file[30] = type;
    file[31] = compression;
    store_be32(file, 24, boot::crc32(std::span(file).subspan(64)));
    seal_uimage(file);
    return file;
}

} // namespace sel4vm::test
