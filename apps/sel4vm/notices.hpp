// SPDX-License-Identifier: BSD-2-Clause
//
// The third-party notices of the host image: a text file beside it, which every built image carries as a blob that no VM
// refers to.
#pragma once

#include <apps/sel4vm/files.hpp>

#include <filesystem>
#include <optional>
#include <span>

namespace sel4vm::cli {

/// The notices that belong to a host image; nothing when there is no such file.
[[nodiscard]] std::optional<Bytes> notices_of(const std::filesystem::path &host_image);

/// True for what tools/third_party_notice.py writes.
[[nodiscard]] bool is_notices(std::span<const u8> blob);

} // namespace sel4vm::cli
