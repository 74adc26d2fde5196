// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/panic_line.hpp>

#include <algorithm>

namespace sel4vm::machine {
namespace {

/// Linux puts "[    1.234567] " before a message, with CONFIG_PRINTK_CALLER also "[    T1] ".
std::string_view without_stamps(std::string_view line) {
    constexpr std::string_view kInside = "0123456789 .TC";
    while (line.starts_with('[')) {
        const usize end = line.find_first_not_of(kInside, 1);
        if (end == std::string_view::npos || !line.substr(end).starts_with("] "))
            break;
        line.remove_prefix(end + 2);
    }
    return line;
}

/// What a line says behind the words, if it begins with them.
std::optional<std::string_view> reason_in(std::string_view line) {
    constexpr std::string_view kWords = "Kernel panic - not syncing";
    line = without_stamps(line);
    if (!line.starts_with(kWords))
        return std::nullopt;
    line.remove_prefix(kWords.size());
    line.remove_prefix(std::min(line.find_first_not_of(": "), line.size()));
    line.remove_suffix(line.ends_with('\r') ? 1 : 0);
    return line;
}

} // namespace

std::optional<std::string_view> PanicLine::feed(std::span<const u8> bytes) {
    for (const u8 byte : bytes) {
        if (byte != '\n') {
            if (size_ < line_.size())
                line_[size_++] = static_cast<char>(byte);
            continue;
        }
        const auto reason = reason_in({line_.data(), size_});
        size_ = 0;
        if (reason)
            return reason;
    }
    return std::nullopt;
}

} // namespace sel4vm::machine
