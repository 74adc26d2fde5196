// SPDX-License-Identifier: BSD-2-Clause
//
// What sel4vm makes itself, recognised where a person gives it as something else: the host program, an image of `sel4vm build`, a bundle.
#pragma once

#include <apps/sel4vm/files.hpp>

#include <optional>
#include <string>

namespace sel4vm::cli {

/// Where the bundle starts in an image, or in a bundle by itself.
[[nodiscard]] std::optional<usize> find_bundle(std::span<const u8> data);

/// Whether it begins as a program for the el2 host does, by itself or with a bundle behind it: src/hosts/el2/boot/entry.S.
[[nodiscard]] bool is_host_image(std::span<const u8> head);

struct OwnImage {
    std::string what;       ///< "an image of 'sel4vm build'"
    std::string takes_it;   ///< how it is used instead
    bool has_system = true; ///< or is the host program alone
};
/// Nothing when the file, which is given whole, is none.
[[nodiscard]] std::optional<OwnImage> own_image(const std::string &path, std::span<const u8> data);

} // namespace sel4vm::cli
