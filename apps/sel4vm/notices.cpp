// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/notices.hpp>

#include <algorithm>
#include <string_view>

namespace sel4vm::cli {

std::optional<Bytes> notices_of(const std::filesystem::path &host_image) {
    std::filesystem::path file = host_image;
    file.replace_extension(".THIRD-PARTY-NOTICES");
    auto data = read_file(file, {64 * kMiB});
    if (!data)
        return std::nullopt;
    return std::move(*data);
}

bool is_notices(std::span<const u8> blob) {
    constexpr std::string_view kStart = "Third-party software in ";
    return blob.size() >= kStart.size() && std::equal(kStart.begin(), kStart.end(), blob.begin());
}

} // namespace sel4vm::cli
