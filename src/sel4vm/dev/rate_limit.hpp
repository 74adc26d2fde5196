// SPDX-License-Identifier: BSD-2-Clause
//
// So many bytes a second, of whatever is counted: what was allowed and not used is kept for a moment, and what begins while anything is left may be
// larger than that, for which the next one waits.
//
// Threads: none of its own.
#pragma once

#include <sel4vm/base/types.hpp>

#include <algorithm>

namespace sel4vm::dev {

class RateLimit {
public:
    /// Bytes that may be kept, at least; and as time: a hundredth of a second.
    static constexpr u64 kLeastBurstBytes = 64 * kKiB;
    static constexpr u64 kMaxBytesPerSecond = u64{10} * 1000 * 1000 * 1000;

    /// 0: no limit. `ticks_per_second`: of the times below, at most 10^9.
    RateLimit(u64 bytes_per_second, u64 ticks_per_second)
        : rate_(std::min(bytes_per_second, kMaxBytesPerSecond)), frequency_(ticks_per_second),
          burst_(std::max(kLeastBurstBytes, rate_ / 100)), left_(static_cast<i64>(burst_)) {}

    [[nodiscard]] bool is_limited() const { return rate_ != 0; }
    /// Whether the next one may begin now.
    [[nodiscard]] bool allows(u64 now_ticks) {
        // Whole bytes only: the rest of the time counts for the next.
        const u64 elapsed = std::min(now_ticks - counted_until_, frequency_);
        const u64 bytes = elapsed * rate_ / frequency_;
        if (bytes > 0) {
            counted_until_ = now_ticks - elapsed + bytes * frequency_ / rate_;
            left_ = std::min(left_ + static_cast<i64>(bytes), static_cast<i64>(burst_));
        }
        return left_ > 0;
    }
    void count(u64 bytes) { left_ -= static_cast<i64>(bytes); }
    /// When it will be allowed, after it was not at this time.
    [[nodiscard]] u64 allowed_at(u64 now_ticks) const {
        const u64 lacking = static_cast<u64>(1 - std::min<i64>(left_, 0));
        return now_ticks + lacking * frequency_ / rate_ + 1;
    }

private:
    u64 rate_;
    u64 frequency_;
    u64 burst_;
    i64 left_;
    u64 counted_until_ = 0;
};

} // namespace sel4vm::dev
