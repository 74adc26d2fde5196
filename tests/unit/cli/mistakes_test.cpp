// SPDX-License-Identifier: BSD-2-Clause
//
// Files with more mistakes, or longer ones, than anybody wants to read.
#include <apps/sel4vm/system_file.hpp>
#include <apps/sel4vm/system_keys.hpp>

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace sel4vm::cli {
namespace {

using Lines = std::vector<std::string>;

Lines mistakes_in(std::string_view text) {
    Mistakes mistakes;
    static_cast<void>(parse_system(text, "a.toml", mistakes));
    return mistakes.texts();
}

/// With the library's own check.
Lines all_mistakes_in(std::string_view text) {
    Mistakes mistakes;
    validate_description(*parse_system(text, "a.toml", mistakes), mistakes);
    return mistakes.texts();
}

constexpr std::string_view kSmallest = "[[vm]]\nmemory = \"64M\"\nkernel = \"Image\"\n";

TEST(ManyMistakes, ListsTwentyMistakesOfAKindAndCountsTheRest) {
    std::string text(kSmallest);
    for (int i = 0; i < 1000; ++i)
        text += "strange" + std::to_string(i) + " = 1\n";
    text += "vcpus = \"x\"\n";
    const Lines lines = mistakes_in(text);
    ASSERT_EQ(lines.size(), 22U);
    EXPECT_EQ(lines[0], "a.toml:4: key 'vm.strange0': is unknown") << "the first ones of the file";
    EXPECT_EQ(lines[19], "a.toml:23: key 'vm.strange19': is unknown");
    EXPECT_EQ(lines[20], "a.toml:1004: key 'vm.vcpus': value \"x\": expected a number from 1 to 128");
    EXPECT_EQ(lines[21], "and 980 more unknown keys");
}

TEST(ManyMistakes, CountsEachKindOfMistakeApart) {
    std::string text(kSmallest);
    for (int i = 0; i < 10; ++i)
        text += "[[vm.device]]\ntype = \"pl011\"\nconsole = 1\nsize = -1\ntrigger = 2\n";
    const Lines lines = mistakes_in(text);
    ASSERT_EQ(lines.size(), 42U);
    EXPECT_EQ(lines[40], "and 10 more wrong values");
    EXPECT_EQ(lines[41], "and 10 more missing values");
}

TEST(ManyMistakes, RepeatsNothingThatIsLong) {
    const std::string key(5000, 'k'), text(5000, 't');
    for (const std::string &file :
         {key + " = 1\n", "\"" + key + "\\n\" = 1\n", "[" + key + "]\n", "[qemu]\ncpu = \"" + text + "\"\n",
          "[[vm]]\nname = \"" + text + "\"\nmemory = \"" + text + "\"\nkernel = 1\n", key + " = 1\n" + key + " = 2\n",
          key + " = " + text + "\n", "a = 1" + std::string(5000, '1') + "\n"}) {
        const Lines lines = all_mistakes_in(file);
        EXPECT_FALSE(lines.empty()) << file;
        for (const std::string &line : lines)
            EXPECT_LT(line.size(), 320U) << line;
    }
}

} // namespace
} // namespace sel4vm::cli
