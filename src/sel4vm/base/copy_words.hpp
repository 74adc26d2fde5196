// SPDX-License-Identifier: BSD-2-Clause
//
// Copying a few dozen words. Spelt out, because a compiler makes a loop a call of memcpy(), and that of a small C library costs as much
// as a system call; by the compiler's own memcpy(), because a freestanding one calls the other even for a word.
#pragma once

#include <sel4vm/base/types.hpp>

#include <utility>

namespace sel4vm {

namespace detail {

/// All are loaded before any is stored, so that pairs can be moved at once.
template <usize kFirst, usize... kWord>
[[gnu::always_inline]] inline void copy_group(const u8 *from, u8 *to, std::index_sequence<kWord...>) {
    if constexpr (sizeof...(kWord) != 0) {
        u64 words[sizeof...(kWord)];
        (__builtin_memcpy(&words[kWord], from + (kFirst + kWord) * sizeof(u64), sizeof(u64)), ...);
        (__builtin_memcpy(to + (kFirst + kWord) * sizeof(u64), &words[kWord], sizeof(u64)), ...);
    }
}

inline constexpr usize kWordsOfGroup = 4;

template <usize... kGroup>
[[gnu::always_inline]] inline void copy_groups(const u8 *from, u8 *to, std::index_sequence<kGroup...>) {
    (copy_group<kGroup * kWordsOfGroup>(from, to, std::make_index_sequence<kWordsOfGroup>{}), ...);
}

} // namespace detail

/// Copies `kCount` words of 64 bits; both places are aligned for them, and do not overlap.
template <usize kCount>
[[gnu::always_inline]] inline void copy_words(const void *from, void *to) {
    const auto *const source = static_cast<const u8 *>(__builtin_assume_aligned(from, alignof(u64)));
    auto *const destination = static_cast<u8 *>(__builtin_assume_aligned(to, alignof(u64)));
    constexpr usize kGroups = kCount / detail::kWordsOfGroup;
    detail::copy_groups(source, destination, std::make_index_sequence<kGroups>{});
    detail::copy_group<kGroups * detail::kWordsOfGroup>(source, destination,
                                                        std::make_index_sequence<kCount % detail::kWordsOfGroup>{});
}

} // namespace sel4vm
