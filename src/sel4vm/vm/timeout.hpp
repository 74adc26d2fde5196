// SPDX-License-Identifier: BSD-2-Clause
//
// Timeouts of device models (the emulated physical timer, the RTC's alarm). A device owns its Timeout, so nothing is
// allocated; the executor owns the queue and asks its EventPort for the earliest one.
//
// Threads: arm() and cancel() from any, for a device belongs to a VM, whose vCPUs may run on other executors; calls for one timeout are
// ordered by whoever owns it. run_due() on the queue's executor.
#pragma once

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm {

class TimeoutQueue;

/// Called back on the queue's executor when the deadline passed; the timeout is then disarmed. No lock is held. A call that has begun is not
/// held up by cancel() or arm() on another executor: a handler looks at its own state, under its own lock, whether there is anything to do.
class TimeoutHandler {
public:
    virtual void timeout() = 0;

protected:
    ~TimeoutHandler() = default;
};

class Timeout {
public:
    explicit Timeout(TimeoutHandler &handler) : handler_(handler) {}
    Timeout(const Timeout &) = delete;
    Timeout &operator=(const Timeout &) = delete;
    [[nodiscard]] u64 deadline_ticks() const { return deadline_; }

private:
    friend class TimeoutQueue;
    TimeoutHandler &handler_;
    Timeout *next_ = nullptr;
    u64 deadline_ = 0;
    bool armed_ = false;
};

/// Told when the earliest deadline changes, by the thread that changed it, with the queue's lock held.
class TimeoutScheduler {
public:
    virtual void earliest_changed(u64 deadline_ticks) = 0;
    virtual void none_left() = 0;

protected:
    ~TimeoutScheduler() = default;
};

class TimeoutQueue {
public:
    explicit TimeoutQueue(TimeoutScheduler &scheduler, LockMode locks = LockMode::none)
        : scheduler_(scheduler), lock_(LockRank::timeouts, locks) {}
    /// (Re)arms for this time of Clock::now_ticks().
    void arm(Timeout &timeout, u64 deadline_ticks);
    void cancel(Timeout &timeout);
    /// Calls the handlers of everything due at `now_ticks`.
    void run_due(u64 now_ticks);
    /// Calls `action` when no timeout is armed, and none can be until it returns. False: one is.
    template <class Action>
    [[nodiscard]] bool when_empty(Action &&action) {
        LockGuard guard(lock_);
        if (first_ != nullptr)
            return false;
        action();
        return true;
    }

private:
    void unlink(Timeout &timeout) SEL4VM_REQUIRES(lock_);
    void split_off_due(u64 now_ticks) SEL4VM_REQUIRES(lock_);
    [[nodiscard]] Timeout *take_due();
    void tell() SEL4VM_REQUIRES(lock_);
    TimeoutScheduler &scheduler_;
    Mutex lock_;
    Timeout *first_ SEL4VM_GUARDED_BY(lock_) = nullptr; // sorted by deadline
    Timeout *due_ SEL4VM_GUARDED_BY(lock_) = nullptr;   // being handled by run_due()
};

} // namespace sel4vm
