// SPDX-License-Identifier: BSD-2-Clause
//
// CRC-32 as zip and zlib compute it (polynomial 0x04C11DB7 reflected), against damage in storage and transport.
// Deliberately no protection against intent.
#pragma once

#include <sel4vm/base/types.hpp>

#include <span>

namespace sel4vm::boot {

/// The CRC of `bytes` after those that gave `previous`; 0 at the start.
[[nodiscard]] u32 crc32(std::span<const u8> bytes, u32 previous = 0);

} // namespace sel4vm::boot
