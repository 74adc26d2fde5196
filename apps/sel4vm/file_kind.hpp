// SPDX-License-Identifier: BSD-2-Clause
//
// What a file is, by its contents: for `sel4vm inspect`, and for messages about a file that is something else than was wanted.
#pragma once

#include <apps/sel4vm/files.hpp>

#include <optional>
#include <string>

namespace sel4vm::cli {

[[nodiscard]] bool is_device_tree(std::span<const u8> data);
/// An archive as Linux takes it for its first file system.
[[nodiscard]] bool is_cpio(std::span<const u8> data);
/// For a file that should be a system file and is no text: a sentence that says what it is, and what takes it. Nothing for what may be text.
/// `head`: how it begins, of a file of `file_bytes`.
[[nodiscard]] std::optional<std::string> no_system_file(const std::string &path, std::span<const u8> head,
                                                        u64 file_bytes);

} // namespace sel4vm::cli
