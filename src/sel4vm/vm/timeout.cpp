// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/timeout.hpp>

#include <initializer_list>

namespace sel4vm {

void TimeoutQueue::unlink(Timeout &timeout) {
    for (Timeout **list : {&first_, &due_}) {
        for (Timeout **link = list; *link != nullptr; link = &(*link)->next_) {
            if (*link != &timeout)
                continue;
            *link = timeout.next_;
            timeout.next_ = nullptr;
            timeout.armed_ = false;
            return;
        }
    }
}

void TimeoutQueue::tell() {
    if (first_ != nullptr)
        scheduler_.earliest_changed(first_->deadline_);
    else
        scheduler_.none_left();
}

void TimeoutQueue::arm(Timeout &timeout, u64 deadline_ticks) {
    LockGuard guard(lock_);
    if (timeout.armed_)
        unlink(timeout);
    timeout.deadline_ = deadline_ticks;
    timeout.armed_ = true;
    Timeout **link = &first_;
    while (*link != nullptr && (*link)->deadline_ <= deadline_ticks)
        link = &(*link)->next_;
    timeout.next_ = *link;
    *link = &timeout;
    tell();
}

void TimeoutQueue::cancel(Timeout &timeout) {
    LockGuard guard(lock_);
    if (!timeout.armed_)
        return;
    unlink(timeout);
    tell();
}

void TimeoutQueue::split_off_due(u64 now_ticks) {
    Timeout **link = &first_;
    while (*link != nullptr && (*link)->deadline_ <= now_ticks)
        link = &(*link)->next_;
    due_ = first_ == *link ? nullptr : first_;
    if (due_ != nullptr) {
        first_ = *link;
        *link = nullptr;
    }
}

Timeout *TimeoutQueue::take_due() {
    LockGuard guard(lock_);
    Timeout *const due = due_;
    if (due != nullptr)
        unlink(*due);
    else
        tell();
    return due;
}

void TimeoutQueue::run_due(u64 now_ticks) {
    lock_.lock();
    // What is due first: a handler that arms for the past again must wait for the next call, or a guest could keep the executor here.
    split_off_due(now_ticks);
    lock_.unlock();
    while (Timeout *due = take_due())
        due->handler_.timeout();
}

} // namespace sel4vm
