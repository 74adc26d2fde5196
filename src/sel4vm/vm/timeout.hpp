// SPDX-License-Identifier: BSD-2-Clause
//
// Timeouts of device models (the emulated physical timer, the RTC's alarm). A device owns its Timeout, so nothing is
// allocated; the executor owns the queue and asks its EventPort for the earliest one. All calls on the executor.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm {

class TimeoutQueue;

/// Called back on the executor when the deadline passed; the timeout is then disarmed. No lock is held, the bus's for the device neither.
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
    [[nodiscard]] bool armed() const { return armed_; }
    [[nodiscard]] u64 deadline_ticks() const { return deadline_; }

private:
    friend class TimeoutQueue;
    TimeoutHandler &handler_;
    Timeout *next_ = nullptr;
    u64 deadline_ = 0;
    bool armed_ = false;
};

/// Told when the earliest deadline changes.
class TimeoutScheduler {
public:
    virtual void earliest_changed(u64 deadline_ticks) = 0;
    virtual void none_left() = 0;

protected:
    ~TimeoutScheduler() = default;
};

class TimeoutQueue {
public:
    explicit TimeoutQueue(TimeoutScheduler &scheduler) : scheduler_(scheduler) {}
    /// (Re)arms for this time of Clock::now_ticks().
    void arm(Timeout &timeout, u64 deadline_ticks);
    void cancel(Timeout &timeout);
    /// Calls the handlers of everything due at `now_ticks`.
    void run_due(u64 now_ticks);

private:
    void unlink(Timeout &timeout);
    void tell();
    TimeoutScheduler &scheduler_;
    Timeout *first_ = nullptr; // sorted by deadline
    Timeout *due_ = nullptr;   // being handled by run_due()
};

} // namespace sel4vm
