// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fmt/format.h>
#include <numeric>
#include <sel4vm/base/printable.hpp>
#include <system_error>
#include <vector>

namespace sel4vm::cli {
namespace {

struct Unit {
    std::string_view name;
    unsigned shift;
};
constexpr std::array kUnits{
    Unit{"", 0},     Unit{"B", 0},   Unit{"K", 10}, Unit{"KiB", 10}, Unit{"KB", 10}, Unit{"M", 20},
    Unit{"MiB", 20}, Unit{"MB", 20}, Unit{"G", 30}, Unit{"GiB", 30}, Unit{"GB", 30},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_letters(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

/// The number at the start of `text`, which loses it.
std::optional<u64> take_number(std::string_view &text) {
    int base = 10;
    if (text.size() > 2 && text[0] == '0' && lower(text[1]) == 'x') {
        base = 16;
        text.remove_prefix(2);
    }
    u64 value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end == text.data())
        return std::nullopt;
    text.remove_prefix(static_cast<usize>(end - text.data()));
    return value;
}

/// Levenshtein distance, with a swap of neighbours counted as one change.
usize distance(std::string_view a, std::string_view b) {
    std::vector<usize> before(b.size() + 1);
    std::vector<usize> previous(b.size() + 1);
    std::vector<usize> row(b.size() + 1);
    std::iota(previous.begin(), previous.end(), usize{0});
    for (usize i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (usize j = 1; j <= b.size(); ++j) {
            const usize changed = previous[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0U : 1U);
            row[j] = std::min({changed, previous[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(previous);
        previous.swap(row);
    }
    return previous[b.size()];
}

} // namespace

std::optional<u64> parse_number(std::string_view text) {
    const auto value = take_number(text);
    return text.empty() ? value : std::nullopt;
}

std::optional<u64> parse_size(std::string_view text) {
    const auto number = take_number(text);
    if (!number)
        return std::nullopt;
    if (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    const auto unit =
        std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit &u) { return same_letters(u.name, text); });
    if (unit == kUnits.end() || *number > (~u64{0} >> unit->shift))
        return std::nullopt;
    return *number << unit->shift;
}

std::string size_text(u64 bytes) {
    if (bytes != 0 && bytes % kGiB == 0)
        return fmt::format("{} GiB", bytes / kGiB);
    if (bytes != 0 && bytes % kMiB == 0)
        return fmt::format("{} MiB", bytes / kMiB);
    if (bytes != 0 && bytes % kKiB == 0)
        return fmt::format("{} KiB", bytes / kKiB);
    return fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
}

std::optional<std::string_view> nearest_name(std::string_view name, std::span<const std::string_view> known) {
    constexpr usize kLongestName = 64; // longer ones are no slip of the finger, and the comparison is quadratic
    if (name.empty() || name.size() > kLongestName)
        return std::nullopt;
    std::optional<std::string_view> best;
    usize best_distance = std::max<usize>(1, name.size() / 3) + 1;
    for (const std::string_view candidate : known) {
        const usize changes = distance(name, candidate);
        if (changes < best_distance) {
            best_distance = changes;
            best = candidate;
        }
    }
    return best;
}

std::string shortened(std::string_view text) {
    if (text.size() <= kLongestShown)
        return std::string(text);
    constexpr std::string_view kCut = "...";
    usize end = kLongestShown - kCut.size();
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) // not inside a character
        --end;
    return std::string(text.substr(0, end)) + std::string(kCut);
}

std::string shown_path(std::string_view path) {
    if (path.size() <= kLongestShown)
        return std::string(path);
    constexpr std::string_view kCut = "...";
    path.remove_prefix(path.size() - (kLongestShown - kCut.size()));
    while (!path.empty() && (static_cast<unsigned char>(path.front()) & 0xc0) == 0x80)
        path.remove_prefix(1);
    return std::string(kCut) + std::string(path);
}

std::string in_quotes(std::string_view text) {
    const std::string shown = shortened(text);
    std::string escaped;
    for (const char c : shown) {
        if (c == '"' || c == '\\')
            escaped += fmt::format("\\{}", c);
        else if (c == '\n')
            escaped += "\\n";
        else if (c == '\t')
            escaped += "\\t";
        else
            escaped += c;
    }
    return '"' + one_line(escaped) + '"';
}

std::string one_line(std::string_view text) {
    std::string out;
    show(text, [&out](std::string_view part) { out += part; });
    return out;
}

void print_message(std::string_view text) {
    const std::string line = "sel4vm: " + one_line(text) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string error_text(int number) { return std::generic_category().message(number); }

std::string one_of(std::span<const std::string_view> names) {
    std::string out;
    for (usize i = 0; i < names.size(); ++i) {
        if (i > 0)
            out += i + 1 == names.size() ? " or " : ", ";
        out += names[i];
    }
    return out;
}

} // namespace sel4vm::cli
