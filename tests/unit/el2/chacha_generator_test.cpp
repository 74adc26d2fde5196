// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/chacha_generator.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace sel4vm::el2 {
namespace {

TEST(ChaChaGenerator, BlockFunctionMatchesTheVectorOfRfc8439) {
    // Section 2.3.2: key 00..1f, counter 1, nonce 000000090000004a00000000.
    ChaChaGenerator::Words state{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (u32 i = 0; i < 8; ++i)
        state[4 + i] = 0x03020100 + 0x04040404 * i;
    state[12] = 1;
    state[13] = 0x09000000;
    state[14] = 0x4a000000;
    const ChaChaGenerator::Words expected{0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033,
                                          0x9aaa2204, 0x4e6cd4c3, 0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
                                          0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2};
    EXPECT_EQ(ChaChaGenerator::block(state), expected);
}

TEST(ChaChaGenerator, OneKeyGivesOneStreamAndRequestsDoNotRepeat) {
    std::array<u8, 32> key{};
    key[5] = 9;
    ChaChaGenerator a(key);
    ChaChaGenerator b(key);
    std::array<u8, 100> first{};
    std::array<u8, 100> second{};
    std::array<u8, 100> again{};
    a.fill(first);
    b.fill(again);
    EXPECT_EQ(first, again);
    a.fill(second);
    EXPECT_NE(first, second);
    key[5] = 8;
    ChaChaGenerator(key).fill(again);
    EXPECT_NE(first, again);
}

TEST(ChaChaGenerator, FillsExactlyWhatWasAsked) {
    const std::array<u8, 32> key{1};
    std::array<u8, 80> out{};
    ChaChaGenerator generator(key);
    generator.fill(std::span(out).first(33));
    EXPECT_TRUE(std::all_of(out.begin() + 33, out.end(), [](u8 byte) { return byte == 0; }));
    EXPECT_TRUE(std::any_of(out.begin() + 20, out.begin() + 33, [](u8 byte) { return byte != 0; }));
}

} // namespace
} // namespace sel4vm::el2
