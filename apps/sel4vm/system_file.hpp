// SPDX-License-Identifier: BSD-2-Clause
//
// The TOML file that describes a system: docs/system-file.md. Reads and judges the text only; the files that it names are
// looked at by images.hpp.
#pragma once

#include <apps/sel4vm/system.hpp>

#include <memory>

namespace sel4vm::cli {

/// Never null. After mistakes it holds what could be read, which is enough to go on looking for more of them.
[[nodiscard]] std::unique_ptr<System> parse_system(std::string_view text, const std::filesystem::path &file,
                                                   Mistakes &mistakes);

} // namespace sel4vm::cli
