// SPDX-License-Identifier: BSD-2-Clause
//
// The ELF half of image.hpp; not for other callers.
#pragma once

#include <sel4vm/boot/image.hpp>

namespace sel4vm::boot {

[[nodiscard]] bool is_elf(std::span<const u8> file);
[[nodiscard]] Result<KernelImage, ImageError> parse_elf(const FileView &view);

} // namespace sel4vm::boot
