// SPDX-License-Identifier: BSD-2-Clause
//
// A timeout queue without an executor: time is the fake clock, and advancing it runs what is due.
#pragma once

#include <hosts/fake/services.hpp>
#include <sel4vm/vm/timeout.hpp>

#include <optional>

namespace sel4vm::test {

class ManualTimeouts final : private TimeoutScheduler {
public:
    explicit ManualTimeouts(fake::Clock &clock) : clock_(clock) {}

    [[nodiscard]] TimeoutQueue &queue() { return queue_; }
    [[nodiscard]] std::optional<u64> earliest() const { return earliest_; }
    void advance(u64 ticks) {
        clock_.advance(ticks);
        queue_.run_due(clock_.now_ticks());
    }

private:
    void earliest_changed(u64 deadline_ticks) override { earliest_ = deadline_ticks; }
    void none_left() override { earliest_.reset(); }
    fake::Clock &clock_;
    TimeoutQueue queue_{*this};
    std::optional<u64> earliest_;
};

} // namespace sel4vm::test
