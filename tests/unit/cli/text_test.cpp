// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/text.hpp>

#include <array>
#include <gtest/gtest.h>

namespace sel4vm::cli {
namespace {

using namespace std::string_view_literals;

TEST(Size, TakesBinaryUnitsOfEverySpelling) {
    EXPECT_EQ(parse_size("512M"), 512 * kMiB);
    EXPECT_EQ(parse_size("512MiB"), 512 * kMiB);
    EXPECT_EQ(parse_size("512 mb"), 512 * kMiB);
    EXPECT_EQ(parse_size("1g"), kGiB);
    EXPECT_EQ(parse_size("4K"), 4096U);
    EXPECT_EQ(parse_size("4096"), 4096U);
    EXPECT_EQ(parse_size("0x1000"), 4096U);
    EXPECT_EQ(parse_size("7B"), 7U);
}

TEST(Size, RefusesWhatIsNoSize) {
    for (const auto text :
         {""sv, "M"sv, "-1M"sv, "1.5G"sv, "1T5"sv, "1 2"sv, " 1M"sv, "1M "sv, "0x"sv, "99999999999999999999"sv})
        EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(Size, RefusesWhatDoesNotFitIn64Bits) {
    EXPECT_EQ(parse_size("17179869183G"), u64{17179869183} << 30);
    EXPECT_EQ(parse_size("17179869184G"), std::nullopt);
}

TEST(Size, PrintsTheLargestUnitThatDividesEvenly) {
    EXPECT_EQ(size_text(2 * kGiB), "2 GiB");
    EXPECT_EQ(size_text(1536 * kMiB), "1536 MiB");
    EXPECT_EQ(size_text(4096), "4 KiB");
    EXPECT_EQ(size_text(4097), "4097 bytes");
    EXPECT_EQ(size_text(1), "1 byte");
    EXPECT_EQ(size_text(0), "0 bytes");
}

TEST(NearestName, FindsSlipsOfTheFinger) {
    constexpr std::array kKnown{"memory"sv, "name"sv, "kernel"sv, "vcpus"sv};
    EXPECT_EQ(nearest_name("memry", kKnown), "memory"sv);
    EXPECT_EQ(nearest_name("memroy", kKnown), "memory"sv);
    EXPECT_EQ(nearest_name("Kernel", kKnown), "kernel"sv);
    EXPECT_EQ(nearest_name("vcpu", kKnown), "vcpus"sv);
}

TEST(NearestName, SaysNothingAboutStrangers) {
    constexpr std::array kKnown{"memory"sv, "name"sv};
    EXPECT_EQ(nearest_name("colour", kKnown), std::nullopt);
    EXPECT_EQ(nearest_name("", kKnown), std::nullopt);
    EXPECT_EQ(nearest_name(std::string(100'000, 'm'), kKnown), std::nullopt);
}

TEST(Shortening, RepeatsAHundredBytesOfAValueAtMost) {
    EXPECT_EQ(shortened(std::string(100, 'a')), std::string(100, 'a'));
    EXPECT_EQ(shortened(std::string(101, 'a')), std::string(97, 'a') + "...");
    EXPECT_EQ(in_quotes(std::string(1000, 'a')), "\"" + std::string(97, 'a') + "...\"");
    EXPECT_EQ(shown_path(std::string(100, 'a')), std::string(100, 'a'));
    EXPECT_EQ(shown_path(std::string(200, 'a') + "/Image"), "..." + std::string(91, 'a') + "/Image");
}

TEST(Shortening, DoesNotCutACharacterInTwo) {
    std::string letters;
    for (int i = 0; i < 60; ++i)
        letters += "\xc3\xbc";
    EXPECT_EQ(shortened(letters), letters.substr(0, 96) + "...");
    EXPECT_EQ(shown_path(letters), "..." + letters.substr(24));
}

TEST(Quotes, KeepAValueOnOneLineAndItsControlCharactersHarmless) {
    EXPECT_EQ(in_quotes("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(in_quotes("\x1b[2J\n\t\x7f"), R"("\x1b[2J\n\t\x7f")");
    EXPECT_EQ(in_quotes("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"");
    EXPECT_EQ(in_quotes("\xc2\x9b"), R"("\xc2\x9b")");
}

TEST(OneLine, IsWhatAnyTextBecomes) {
    EXPECT_EQ(one_line("a\nb\x1b[c\"d"), "a\\x0ab\\x1b[c\"d");
    EXPECT_EQ(one_line("gr\xc3\xbc\xc3\x9f \xc2\x9b"), "gr\xc3\xbc\xc3\x9f \\xc2\\x9b");
}

} // namespace
} // namespace sel4vm::cli
