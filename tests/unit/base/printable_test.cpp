// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>
#include <sel4vm/base/printable.hpp>
#include <string>

namespace sel4vm {
namespace {

using namespace std::string_view_literals;

std::string shown(std::string_view text) {
    std::string out;
    show(text, [&out](std::string_view part) { out += part; });
    return out;
}

TEST(Printable, KeepsLettersOfAllLanguages) {
    for (const auto text : {"plain ~ text"sv, "gr\xc3\xbc\xc3\x9f"sv, "\xe2\x82\xac"sv, "\xf0\x9f\x90\xa7"sv, ""sv})
        EXPECT_EQ(shown(text), text);
}

TEST(Printable, ShowsEveryControlCharacterOfAscii) {
    for (unsigned byte = 0; byte < 0x80; ++byte) {
        const char c = static_cast<char>(byte);
        EXPECT_EQ(shown({&c, 1}).size(), byte < 0x20 || byte == 0x7f ? 4U : 1U) << byte;
    }
    EXPECT_EQ(shown("\x1b[2J\r\n\x7f\0"sv), R"(\x1b[2J\x0d\x0a\x7f\x00)");
}

TEST(Printable, ShowsEveryC1ControlAsUtf8AndAsOneByte) {
    for (unsigned byte = 0x80; byte < 0xa0; ++byte) {
        const char utf8[] = {'\xc2', static_cast<char>(byte)};
        EXPECT_EQ(shown({utf8, 2}).substr(0, 7), "\\xc2\\x" + std::string(byte < 0x90 ? "8" : "9")) << byte;
        EXPECT_EQ(shown({utf8 + 1, 1}).size(), 4U) << byte;
    }
    EXPECT_EQ(shown("\xc2\xa0"), "\xc2\xa0"); // the first that is none
}

TEST(Printable, ShowsWhatReordersText) {
    for (const auto text : {"\xd8\x9c"sv, "\xe2\x80\x8e"sv, "\xe2\x80\x8f"sv, "\xe2\x80\xa8"sv, "\xe2\x80\xa9"sv,
                            "\xe2\x80\xaa"sv, "\xe2\x80\xae"sv, "\xe2\x81\xa6"sv, "\xe2\x81\xa9"sv, "\xef\xbb\xbf"sv})
        EXPECT_EQ(shown(text).size(), 4 * text.size());
    for (const auto text : {"\xe2\x80\x90"sv, "\xe2\x80\xa7"sv, "\xe2\x80\xaf"sv, "\xe2\x81\xa5"sv, "\xe2\x81\xaa"sv})
        EXPECT_EQ(shown(text), text);
}

TEST(Printable, ShowsTheBytesOfWhatIsNotUtf8) {
    EXPECT_EQ(shown("\xff\xfe"), R"(\xff\xfe)");
    EXPECT_EQ(shown("\xc0\x9b"), R"(\xc0\x9b)");                 // an escape in a form longer than needed
    EXPECT_EQ(shown("\xe0\x82\x9b"), R"(\xe0\x82\x9b)");         //
    EXPECT_EQ(shown("\xf0\x80\x82\x9b"), R"(\xf0\x80\x82\x9b)"); //
    EXPECT_EQ(shown("\xed\xa0\x80"), R"(\xed\xa0\x80)");         // a surrogate
    EXPECT_EQ(shown("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)"); // beyond Unicode
    EXPECT_EQ(shown("a\xe2\x82"), R"(a\xe2\x82)");               // cut off
    EXPECT_EQ(shown("\xe2\x82"
                    "b"),
              R"(\xe2\x82b)");
    EXPECT_EQ(shown("\xc3\x1b"), R"(\xc3\x1b)");
}

TEST(Printable, GoesIntoATextLine) {
    Text<40> line;
    line << "it says '" << Printable{"\x1b[31m\xc3\xbc"} << "'";
    EXPECT_EQ(line.view(), "it says '\\x1b[31m\xc3\xbc'");
}

} // namespace
} // namespace sel4vm
