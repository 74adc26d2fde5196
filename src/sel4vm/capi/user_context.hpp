// SPDX-License-Identifier: BSD-2-Clause
//
// seL4_UserContext as an array of words, and which register each word is.
#pragma once

#include <sel4vm/base/types.hpp>

#include <sel4/sel4.h>

#include <array>
#include <cstring>

namespace sel4vm::capi {

struct UserContextLayout {
    static constexpr usize kWords = sizeof(seL4_UserContext) / sizeof(seL4_Word);
    static constexpr usize kPc = 0;
    static constexpr usize kSp = 1;
    static constexpr usize kSpsr = 2;
    static constexpr usize kX0 = 3;
    static constexpr usize kFirstAfterGeneral = 34; ///< tpidr_el0, then tpidrro_el0 where the kernel has it
    static_assert(kWords >= kFirstAfterGeneral && sizeof(seL4_Word) == 8);

    /// The general register of a word from kX0 to kFirstAfterGeneral - 1.
    [[nodiscard]] static constexpr unsigned general(usize index) {
        constexpr std::array<u8, kFirstAfterGeneral - kX0> kNumbers = {0,  1,  2,  3,  4,  5,  6,  7,  8,  16, 17,
                                                                       18, 29, 30, 9,  10, 11, 12, 13, 14, 15, 19,
                                                                       20, 21, 22, 23, 24, 25, 26, 27, 28};
        return kNumbers[index - kX0];
    }
};

struct UserContextWords {
    std::array<u64, UserContextLayout::kWords> words{};

    UserContextWords() = default;
    explicit UserContextWords(const seL4_UserContext &context) { std::memcpy(words.data(), &context, sizeof(context)); }
    [[nodiscard]] seL4_UserContext context() const {
        seL4_UserContext context;
        std::memcpy(&context, words.data(), sizeof(context));
        return context;
    }
};

} // namespace sel4vm::capi
