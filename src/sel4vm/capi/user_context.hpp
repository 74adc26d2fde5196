// SPDX-License-Identifier: BSD-2-Clause
//
// seL4_UserContext as an array of words.
#pragma once

#include <sel4vm/base/copy_words.hpp>
#include <sel4vm/base/types.hpp>
#include <sel4vm/capi/binding_context.hpp>

#include <sel4/sel4.h>

#include <array>
#include <utility>

namespace sel4vm::capi {

/// Copies a whole context.
inline void copy_context(const void *from, void *to) { copy_words<UserContextLayout::kWords>(from, to); }

struct UserContextWords {
    UserContextArray words{};

    UserContextWords() = default;
    explicit UserContextWords(const seL4_UserContext &context) { copy_context(&context, words.data()); }
};

/// A context that a client may change, beside what the host has.
class ChangingContext {
public:
    /// `host` stays where it is, and tells every change that the host makes.
    explicit ChangingContext(const UserContextArray &host) : host_(host) { copy_context(host.data(), &now_); }
    [[nodiscard]] seL4_UserContext &now() { return now_; }
    [[nodiscard]] const seL4_UserContext &now() const { return now_; }
    [[nodiscard]] u64 now(usize index) const {
        u64 word = 0;
        __builtin_memcpy(&word, bytes() + index * sizeof(word), sizeof(word));
        return word;
    }
    [[nodiscard]] bool changed(usize index) const { return now(index) != host_[index]; }
    void set(usize index, u64 value) { __builtin_memcpy(bytes() + index * sizeof(value), &value, sizeof(value)); }

    /// All words after the first so many are unchanged; a multiple of 4. Results of a call are in the first words.
    [[nodiscard]] usize changed_count() const {
        const u64 first = group_difference<0>();
        const u64 second = group_difference<1>();
        if (difference_after_two(std::make_index_sequence<kGroups - 2>{}) == 0) [[likely]]
            return second != 0 ? 2 * kGroupWords : first != 0 ? kGroupWords : 0;
        return changed_count_slowly();
    }

private:
    static constexpr usize kGroupWords = 4;
    static constexpr usize kGroups = UserContextLayout::kWords / kGroupWords;
    static_assert(UserContextLayout::kWords % kGroupWords == 0);
    static_assert(alignof(seL4_UserContext) >= alignof(u64));
    [[nodiscard]] u8 *bytes() { return static_cast<u8 *>(__builtin_assume_aligned(&now_, alignof(u64))); }
    [[nodiscard]] const u8 *bytes() const {
        return static_cast<const u8 *>(__builtin_assume_aligned(&now_, alignof(u64)));
    }
    // Spelt out, without a loop: this is done after every call that a client serves.
    template <usize... kGroup>
    [[nodiscard]] u64 difference_after_two(std::index_sequence<kGroup...>) const {
        return (group_difference<kGroup + 2>() | ...);
    }
    template <usize kGroup>
    [[nodiscard]] u64 group_difference() const {
        constexpr usize kFirst = kGroup * kGroupWords;
        return (difference<kFirst>() | difference<kFirst + 1>()) |
               (difference<kFirst + 2>() | difference<kFirst + 3>());
    }
    template <usize kIndex>
    [[nodiscard]] u64 difference() const {
        return now(kIndex) ^ host_[kIndex];
    }

    [[nodiscard]] [[gnu::noinline]] usize changed_count_slowly() const {
        usize count = UserContextLayout::kWords;
        while (!changed(count - 1))
            --count;
        return (count + kGroupWords - 1) / kGroupWords * kGroupWords;
    }

    const UserContextArray &host_;
    seL4_UserContext now_;
};

} // namespace sel4vm::capi
