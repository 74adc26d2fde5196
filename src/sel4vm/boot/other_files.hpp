// SPDX-License-Identifier: BSD-2-Clause
//
// Files that people give as a kernel by mistake and that would be taken for a raw binary: recognised in order to be refused by
// name. Deliberately only what cannot be the beginning of a program for AArch64. Used by image.cpp only.
#pragma once

#include <sel4vm/boot/image.hpp>

namespace sel4vm::boot {

/// `head`: the beginning of the file, as in FileView. An arm64 Image was ruled out.
[[nodiscard]] Status<ImageError> refuse_other_files(std::span<const u8> head);

/// For ImageErrorKind::not_a_kernel: "a device tree".
[[nodiscard]] std::string_view name_of_other_file(u64 found);

} // namespace sel4vm::boot
