// SPDX-License-Identifier: BSD-2-Clause
//
// Where distributions put UEFI for AArch64: `--firmware uefi` and `firmware = "uefi"` mean that.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace sel4vm::cli {

/// The word; a file of this name is ./uefi.
inline constexpr std::string_view kUefi = "uefi";

struct UefiFiles {
    std::filesystem::path code;
    std::filesystem::path variables; ///< a flash's contents in which there are none yet
};
/// Those of this machine.
[[nodiscard]] std::optional<UefiFiles> find_uefi();

inline constexpr std::string_view kUefiWanted = "UEFI for AArch64 on this machine: install Debian's package "
                                                "qemu-efi-aarch64, or give the path of a firmware's file";

} // namespace sel4vm::cli
