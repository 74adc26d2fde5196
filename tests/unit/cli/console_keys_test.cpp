// SPDX-License-Identifier: BSD-2-Clause
//
// `[console]` of a system file, beside what every key's table says.
#include <apps/sel4vm/system_file.hpp>

#include <gtest/gtest.h>

namespace sel4vm::cli {
namespace {

TEST(ConsoleKeys, AnEscapeThatIsTheToolsOwnKeyIsWarnedOf) {
    for (const auto &[escape, count] : {std::pair{"^A", 1U}, std::pair{"^B", 0U}}) {
        Mistakes mistakes;
        static_cast<void>(parse_system("[console]\nescape = \"" + std::string(escape) + "\"\n" +
                                           "[[vm]]\nmemory = \"64M\"\nkernel = \"Image\"\n",
                                       "a.toml", mistakes));
        EXPECT_TRUE(mistakes.empty());
        const std::vector<std::string> warnings = mistakes.take_warnings();
        ASSERT_EQ(warnings.size(), count);
        if (count != 0) {
            EXPECT_TRUE(
                warnings[0].starts_with("a.toml:2: key 'console.escape': value \"^A\": at a terminal of sel4vm run"))
                << warnings[0];
        }
    }
}

} // namespace
} // namespace sel4vm::cli
