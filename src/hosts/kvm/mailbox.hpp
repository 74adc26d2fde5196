// SPDX-License-Identifier: BSD-2-Clause
//
// Signals from outside, for whichever of a program's event ports waits next. Bits of several before that are one.
//
// Threads: any.
#pragma once

#include <sel4vm/base/types.hpp>

#include <mutex>
#include <sys/eventfd.h>
#include <utility>
#include <vector>

namespace sel4vm::kvm {

class Mailbox {
public:
    Mailbox() = default;
    Mailbox(const Mailbox &) = delete;
    Mailbox &operator=(const Mailbox &) = delete;

    void signal(u64 badge) {
        const std::scoped_lock guard(lock_);
        signalled_ |= badge;
        for (const int file : waiting_)
            eventfd_write(file, 1);
    }
    /// 0: none.
    [[nodiscard]] u64 take() {
        const std::scoped_lock guard(lock_);
        return std::exchange(signalled_, 0);
    }
    [[nodiscard]] bool empty() {
        const std::scoped_lock guard(lock_);
        return signalled_ == 0;
    }

    /// Writes to this eventfd at each signal.
    void add(int file) {
        const std::scoped_lock guard(lock_);
        waiting_.push_back(file);
    }
    void remove(int file) {
        const std::scoped_lock guard(lock_);
        std::erase(waiting_, file);
    }

private:
    std::mutex lock_;
    u64 signalled_ = 0;
    std::vector<int> waiting_;
};

} // namespace sel4vm::kvm
