// SPDX-License-Identifier: BSD-2-Clause
//
// What of a text from outside (a guest, a file, a command line) may be shown to a person as it is. A terminal obeys control
// characters wherever they come from, so in a message they are shown as \xNN, byte by byte, and the message stays one line.
// Shown as they are: well-formed UTF-8 except controls (C0, DEL, C1), line and paragraph separators, and the characters that
// reorder what is around them. Deliberately no judgement of how wide a character is or what it looks like.
#pragma once

#include <sel4vm/base/text.hpp>
#include <sel4vm/base/types.hpp>

#include <array>
#include <string_view>

namespace sel4vm {

/// True for a character that changes more than its own place on the screen.
[[nodiscard]] constexpr bool is_control_character(u32 character) {
    return character < 0x20 || (character >= 0x7f && character < 0xa0) ||       // C0, DEL, C1
           character == 0x061c || character == 0x200e || character == 0x200f || // marks of direction
           (character >= 0x2028 && character <= 0x202e) ||                      // separators, embeddings, overrides
           (character >= 0x2066 && character <= 0x2069) || character == 0xfeff; // isolates, byte order mark
}

/// Bytes of the well-formed UTF-8 character at the start of `text` when it may be shown as it is; 0 when its first byte may not.
[[nodiscard, gnu::noinline]] constexpr usize shown_bytes(std::string_view text) {
    const auto byte = [text](usize index) { return u32{static_cast<u8>(text[index])}; };
    if (text.empty())
        return 0;
    const u32 lead = byte(0);
    if (lead < 0x80)
        return is_control_character(lead) ? 0 : 1;
    const usize size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size)
        return 0;
    u32 character = lead & (0xffU >> (size + 1));
    for (usize i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
        character = (character << 6) | (byte(i) & 0x3f);
    }
    constexpr u32 kLeast[] = {0, 0, 0x80, 0x800, 0x1'0000}; // a longer form than needed is not well-formed
    const bool surrogate = character >= 0xd800 && character < 0xe000;
    if (character < kLeast[size] || character > 0x10'ffff || surrogate || is_control_character(character))
        return 0;
    return size;
}

/// Takes what is shown first of `text` off it: characters as they are, or one byte as an escape, which is put into `escape`.
[[gnu::noinline]] constexpr std::string_view take_shown(std::string_view &text, std::array<char, 4> &escape) {
    usize good = 0;
    while (const usize more = shown_bytes(text.substr(good)))
        good += more;
    const std::string_view shown = text.substr(0, good);
    text.remove_prefix(good);
    if (good != 0 || text.empty())
        return shown;
    const u8 bad = static_cast<u8>(text.front());
    text.remove_prefix(1);
    constexpr const char *kDigits = "0123456789abcdef";
    escape = {'\\', 'x', kDigits[bad >> 4], kDigits[bad & 0xf]};
    return {escape.data(), escape.size()};
}

/// Calls `put(std::string_view)` for the parts of what is shown of `text`, in order.
template <class Put>
constexpr void show(std::string_view text, Put put) {
    std::array<char, 4> escape{};
    while (!text.empty())
        put(take_shown(text, escape));
}

/// For a TextWriter: the text as it may be shown.
struct Printable {
    std::string_view text;
};

[[gnu::noinline]] constexpr TextWriter &operator<<(TextWriter &writer, Printable printable) {
    show(printable.text, [&writer](std::string_view part) { writer << part; });
    return writer;
}

} // namespace sel4vm
