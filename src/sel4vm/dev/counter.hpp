// SPDX-License-Identifier: BSD-2-Clause
//
// A count that others may read while it goes on. Deliberately no atomic addition: whoever counts has a lock.
//
// Threads: add() by one at a time, value() from any.
#pragma once

#include <sel4vm/base/types.hpp>

#include <atomic>

namespace sel4vm::dev {

class Counter {
public:
    void add(u64 count = 1) { value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed); }
    [[nodiscard]] u64 value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<u64> value_{0};
};

} // namespace sel4vm::dev
