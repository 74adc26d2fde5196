// SPDX-License-Identifier: BSD-2-Clause
//
// Text that people write, turned into values and back: sizes, whole numbers, the nearest known name for a misspelt one,
// and values quoted so that one always prints as one line. Deliberately no locale and no floating point.
#pragma once

#include <sel4vm/base/types.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sel4vm::cli {

/// "512M", "1G", "64KiB", "4096", "0x1000": bytes, binary units. Nothing when it is not a size or needs more than 64 bits.
[[nodiscard]] std::optional<u64> parse_size(std::string_view text);

/// Decimal, or hexadecimal with 0x. Nothing when it is not a number or needs more than 64 bits.
[[nodiscard]] std::optional<u64> parse_number(std::string_view text);

/// "512 MiB": the largest binary unit that divides evenly; "1000 bytes" when none does.
[[nodiscard]] std::string size_text(u64 bytes);

/// The known name with the fewest single-letter changes, when these are few enough to be a slip.
[[nodiscard]] std::optional<std::string_view> nearest_name(std::string_view name,
                                                           std::span<const std::string_view> known);

/// Bytes of a value that a message repeats.
inline constexpr usize kLongestShown = 100;

/// The text, or as much of its beginning as a message repeats, and "...".
[[nodiscard]] std::string shortened(std::string_view text);

/// A path for a message: of a long one the end, which tells more.
[[nodiscard]] std::string shown_path(std::string_view path);

/// Shortened, in double quotes, and harmless: control characters as \xNN.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// The text with control characters as \xNN (sel4vm/base/printable.hpp): one harmless line, whatever was in it.
[[nodiscard]] std::string one_line(std::string_view text);

/// One line on standard error, "sel4vm: " and the text, made harmless.
void print_message(std::string_view text);

/// What the C library says about a value of errno.
[[nodiscard]] std::string error_text(int number);

/// "a", "a or b", "a, b or c".
[[nodiscard]] std::string one_of(std::span<const std::string_view> names);

} // namespace sel4vm::cli
