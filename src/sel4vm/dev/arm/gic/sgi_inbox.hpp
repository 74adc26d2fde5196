// SPDX-License-Identifier: BSD-2-Clause
//
// SGIs that other vCPUs have sent to one vCPU, until the holder of its part of the GIC's state takes them over (gic_locks.hpp). Who sends
// holds nothing: it posts, and then asks the vCPU to look (Vcpu::request_sync()). Whoever gets hold of the vCPU's part looks here first, so that
// nobody sees a state without what was posted before.
#pragma once

#include <sel4vm/base/types.hpp>

#include <array>
#include <atomic>

namespace sel4vm::dev {

/// Lanes of 16 SGIs, a bit each. GICv2: a lane for each sending CPU. GICv3: kAnyGroup and kGroup0.
class SgiInbox {
public:
    static constexpr u32 kLanes = 8;
    static constexpr u32 kLanesPerWord = 4;
    static constexpr u32 kWords = kLanes / kLanesPerWord;
    static constexpr u32 kLaneBits = 16;
    static constexpr u32 kAnyGroup = 0; ///< whichever group the receiver has given the SGI
    static constexpr u32 kGroup0 = 1;   ///< comes only if the receiver has it in group 0

    void post(u32 lane, u32 sgi) {
        // What the sender's guest wrote before is seen by whoever takes the SGI.
        words_[lane / kLanesPerWord].fetch_or(u64{1} << (kLaneBits * (lane % kLanesPerWord) + sgi),
                                              std::memory_order_release);
    }
    [[nodiscard]] bool is_empty() const {
        return (words_[0].load(std::memory_order_relaxed) | words_[1].load(std::memory_order_relaxed)) == 0;
    }
    /// All of kLanesPerWord lanes, the first in the lowest bits.
    [[nodiscard]] u64 take(u32 word) {
        return words_[word].load(std::memory_order_relaxed) == 0 ? 0
                                                                 : words_[word].exchange(0, std::memory_order_acquire);
    }

private:
    std::array<std::atomic<u64>, kWords> words_{};
    static_assert(kWords == 2);
};

} // namespace sel4vm::dev
