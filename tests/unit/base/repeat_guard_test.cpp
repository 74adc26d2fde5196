// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/base/repeat_guard.hpp>

#include <gtest/gtest.h>

namespace sel4vm {
namespace {

TEST(RepeatGuard, AllowsTheSameThingSoManyTimesInARowAndThenOnceNot) {
    RepeatGuard guard;
    for (int round = 0; round < 3; ++round) {
        for (u32 i = 0; i < RepeatGuard::kLimit; ++i)
            EXPECT_TRUE(guard.once_more(1, 2)) << round << ' ' << i;
        EXPECT_FALSE(guard.once_more(1, 2)) << round;
    }
}

TEST(RepeatGuard, CountsAnewWhenSomethingElseComesUp) {
    RepeatGuard guard;
    for (u32 i = 0; i < 4 * RepeatGuard::kLimit; ++i)
        EXPECT_TRUE(guard.once_more(1, i & 1)) << i;
    for (u32 i = 0; i < 4 * RepeatGuard::kLimit; ++i)
        EXPECT_TRUE(guard.once_more(i & 1, 2)) << i;
}

TEST(RepeatGuard, CountsTheFirstThingWhateverItIs) {
    RepeatGuard guard;
    for (u32 i = 0; i < RepeatGuard::kLimit; ++i)
        EXPECT_TRUE(guard.once_more(0, 0)) << i;
    EXPECT_FALSE(guard.once_more(0, 0));
}

} // namespace
} // namespace sel4vm
