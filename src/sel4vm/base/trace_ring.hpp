// SPDX-License-Identifier: BSD-2-Clause
//
// The last entries of a stream, in memory that never grows: what to look at after something went wrong. Adding costs a few
// stores and waits for nobody.
//
// Threads: one writer (a ring per CPU, executor or vCPU). Anybody may read at any time, the writer's own panic included; a
// reader gets whole entries only, and misses those that are overwritten while it reads.
#pragma once

#include <sel4vm/base/types.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <span>
#include <type_traits>

namespace sel4vm {

template <class Entry, usize Capacity>
class TraceRing {
    static_assert(std::has_single_bit(Capacity), "the capacity is a power of two");
    static_assert(std::is_trivially_copyable_v<Entry>, "an entry is plain data");

public:
    void add(const Entry &entry) {
        Words words{};
        std::memcpy(words.data(), &entry, sizeof entry);
        const u64 number = added_.load(std::memory_order_relaxed);
        begun_.store(number + 1, std::memory_order_relaxed);
        // A reader that sees one of the words sees that they were being replaced, too.
        std::atomic_thread_fence(std::memory_order_release);
        Slot &slot = slots_[number % Capacity];
        for (usize i = 0; i < words.size(); ++i)
            slot[i].store(words[i], std::memory_order_relaxed);
        added_.store(number + 1, std::memory_order_release);
    }

    /// How many were ever added.
    [[nodiscard]] u64 added() const { return added_.load(std::memory_order_acquire); }

    /// Copies the latest entries, as many as there are and fit, oldest first. Returns how many.
    [[nodiscard]] usize latest(std::span<Entry> out) const {
        const u64 end = added();
        u64 number = end - std::min<u64>({end, out.size(), Capacity});
        usize count = 0;
        for (; number != end; ++number) {
            const Slot &slot = slots_[number % Capacity];
            Words words{};
            for (usize i = 0; i < words.size(); ++i)
                words[i] = slot[i].load(std::memory_order_relaxed);
            std::atomic_thread_fence(std::memory_order_acquire);
            if (begun_.load(std::memory_order_relaxed) > number + Capacity)
                continue; // overwritten meanwhile
            // SAFETY: trivially copyable, and `words` holds one that was added.
            std::memcpy(static_cast<void *>(&out[count++]), words.data(), sizeof(Entry));
        }
        return count;
    }

private:
    static constexpr usize kWords = (sizeof(Entry) + sizeof(u64) - 1) / sizeof(u64);
    using Words = std::array<u64, kWords>;
    using Slot = std::array<std::atomic<u64>, kWords>;

    std::array<Slot, Capacity> slots_{};
    std::atomic<u64> begun_{0}; ///< entries whose words are or were being stored
    std::atomic<u64> added_{0};
};

} // namespace sel4vm
