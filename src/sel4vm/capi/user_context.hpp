// SPDX-License-Identifier: BSD-2-Clause
//
// seL4_UserContext as an array of words, and which register each word is.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/capi/binding.hpp>

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

/// Copies a whole context. Not by one memcpy(): that of a small C library costs as much as a system call. Both are words, which a compiler
/// that must not access memory unaligned has to be told.
inline void copy_context(const void *from, void *to) {
    constexpr usize kStepBytes = 32;
    static_assert(sizeof(UserContextArray) % sizeof(u64) == 0);
    const auto *const source = static_cast<const u8 *>(__builtin_assume_aligned(from, alignof(u64)));
    auto *const destination = static_cast<u8 *>(__builtin_assume_aligned(to, alignof(u64)));
    usize at = 0;
    for (; at + kStepBytes <= sizeof(UserContextArray); at += kStepBytes)
        std::memcpy(destination + at, source + at, kStepBytes);
    for (; at < sizeof(UserContextArray); at += sizeof(u64))
        std::memcpy(destination + at, source + at, sizeof(u64));
}

struct UserContextWords {
    UserContextArray words{};

    UserContextWords() = default;
    explicit UserContextWords(const seL4_UserContext &context) { copy_context(&context, words.data()); }
};

/// A context that a client may change, and what it was before.
class ChangingContext {
public:
    explicit ChangingContext(const UserContextArray &from) {
        copy_context(from.data(), before_.data());
        copy_context(from.data(), &now_);
    }
    [[nodiscard]] seL4_UserContext &now() { return now_; }
    [[nodiscard]] bool changed(usize index) const { return now(index) != before_[index]; }

    /// Calls `visit(index, value)` for each word that was changed: few, mostly, so they are looked at in fours.
    template <class Visit>
    void for_each_change(Visit visit) const {
        constexpr usize kStep = 4;
        constexpr usize kWords = UserContextLayout::kWords;
        for (usize first = 0; first < kWords; first += kStep) {
            if (first + kStep <= kWords &&
                ((difference(first) | difference(first + 1)) | (difference(first + 2) | difference(first + 3))) == 0)
                continue;
            for (usize index = first; index < kWords && index < first + kStep; ++index) {
                if (changed(index))
                    visit(index, now(index));
            }
        }
    }

private:
    [[nodiscard]] u64 now(usize index) const {
        static_assert(alignof(seL4_UserContext) >= alignof(u64));
        const auto *const words = static_cast<const u8 *>(__builtin_assume_aligned(&now_, alignof(u64)));
        u64 word = 0;
        std::memcpy(&word, words + index * sizeof(word), sizeof(word));
        return word;
    }
    [[nodiscard]] u64 difference(usize index) const { return now(index) ^ before_[index]; }

    UserContextArray before_;
    seL4_UserContext now_;
};

} // namespace sel4vm::capi
