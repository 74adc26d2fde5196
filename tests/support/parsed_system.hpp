// SPDX-License-Identifier: BSD-2-Clause
//
// What is said of a system file "a.toml" with a given text.
#pragma once

#include <apps/sel4vm/system_file.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sel4vm::cli {

using Lines = std::vector<std::string>;

inline Lines mistakes_in(std::string_view text) {
    Mistakes mistakes;
    static_cast<void>(parse_system(text, "a.toml", mistakes));
    return mistakes.texts();
}

/// With the library's own check, as if every image had been read.
inline Lines all_mistakes_in(std::string_view text) {
    Mistakes mistakes;
    const auto system = parse_system(text, "a.toml", mistakes);
    for (auto &vm : system->description.vms)
        for (auto &image : vm.images)
            image.size_bytes = 1;
    validate_description(*system, mistakes);
    return mistakes.texts();
}

inline constexpr std::string_view kSmallest = "[[vm]]\nmemory = \"64M\"\nkernel = \"Image\"\n";

} // namespace sel4vm::cli
