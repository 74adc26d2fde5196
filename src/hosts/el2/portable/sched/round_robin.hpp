// SPDX-License-Identifier: BSD-2-Clause
//
// Which of the runnable tasks of one CPU runs next: round-robin with a time slice that only counts while somebody waits.
// A task that wakes up is put first and runs on what is left of the present turn; when a turn ends, everybody who took
// part in it goes behind those who did not, so tasks that wake each other cannot keep the others out. Pure logic: time is an
// argument, and the caller owns the tasks. One CPU's, not thread-safe.
#pragma once

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

/// Later than everything.
inline constexpr u64 kNever = ~u64{0};

/// What a task carries for the queue; a base class of the task.
class RunQueueHook {
public:
    [[nodiscard]] bool waits_for_cpu() const { return queued_; }

private:
    template <class Task>
    friend class RoundRobin;
    RunQueueHook *next_ = nullptr;
    RunQueueHook *previous_ = nullptr;
    u32 turn_ = 0; ///< the turn it last ran in
    bool queued_ = false;
};

template <class Task>
class RoundRobin {
public:
    explicit RoundRobin(u64 slice_ticks) : slice_ticks_(slice_ticks) {}
    RoundRobin(const RoundRobin &) = delete;
    RoundRobin &operator=(const RoundRobin &) = delete;

    /// The task that runs now, or nullptr.
    [[nodiscard]] Task *current() const { return current_; }
    [[nodiscard]] bool anybody_waits() const { return first_ != nullptr; }
    /// When the present turn ends; kNever while nobody waits for it.
    [[nodiscard]] u64 turn_end() const { return current_ != nullptr && first_ != nullptr ? turn_end_ : kNever; }
    [[nodiscard]] bool is_current_or_waits(const Task &task) const { return &task == current_ || hook(task).queued_; }

    /// `task` can run again. It preempts the current one at the next pick().
    void wake(Task &task, u64 now) {
        SEL4VM_ASSERT(!is_current_or_waits(task));
        begin_waiting(now);
        push_front(hook(task));
        if (current_ != nullptr) {
            hook(task).turn_ = turn_;
            preempt_ = true;
        }
    }
    /// `task` becomes runnable in its turn, behind everybody.
    void add(Task &task, u64 now) {
        SEL4VM_ASSERT(!is_current_or_waits(task));
        begin_waiting(now);
        push_back(hook(task));
    }
    /// `task` cannot run; nothing happens when it could not before.
    void remove(Task &task) {
        if (&task == current_)
            current_ = nullptr;
        else if (hook(task).queued_)
            unlink(hook(task));
    }
    /// The current task lets everybody else go first.
    void yield() { yielded_ = current_ != nullptr; }

    /// The task to run from now on, or nullptr when none can.
    [[nodiscard]] Task *pick(u64 now) {
        const bool turn_over = yielded_ || now >= turn_end_;
        if (current_ != nullptr) {
            if (first_ == nullptr || !(preempt_ || turn_over))
                return keep();
            if (turn_over) {
                push_back(hook(*current_));
            } else { // somebody woke up: behind those, before the rest
                RunQueueHook *woken = first_;
                unlink(*woken);
                push_front(hook(*current_));
                push_front(*woken);
            }
        }
        current_ = nullptr;
        preempt_ = false;
        yielded_ = false;
        if (first_ == nullptr)
            return nullptr;
        RunQueueHook *next = turn_over ? first_outside_turn() : first_;
        unlink(*next);
        current_ = static_cast<Task *>(next);
        if (turn_over || next->turn_ != turn_) {
            ++turn_;
            turn_end_ = now + slice_ticks_;
            next->turn_ = turn_;
        }
        return current_;
    }

private:
    static RunQueueHook &hook(Task &task) { return task; }
    static const RunQueueHook &hook(const Task &task) { return task; }

    Task *keep() {
        preempt_ = false;
        yielded_ = false;
        return current_;
    }
    // A turn is measured from when the first other task waits for its end.
    void begin_waiting(u64 now) {
        if (current_ != nullptr && first_ == nullptr)
            turn_end_ = now + slice_ticks_;
    }
    RunQueueHook *first_outside_turn() const {
        for (RunQueueHook *at = first_; at != nullptr; at = at->next_) {
            if (at->turn_ != turn_)
                return at;
        }
        return first_;
    }
    void push_front(RunQueueHook &item) {
        item.queued_ = true;
        item.previous_ = nullptr;
        item.next_ = first_;
        (first_ != nullptr ? first_->previous_ : last_) = &item;
        first_ = &item;
    }
    void push_back(RunQueueHook &item) {
        item.queued_ = true;
        item.next_ = nullptr;
        item.previous_ = last_;
        (last_ != nullptr ? last_->next_ : first_) = &item;
        last_ = &item;
    }
    void unlink(RunQueueHook &item) {
        (item.previous_ != nullptr ? item.previous_->next_ : first_) = item.next_;
        (item.next_ != nullptr ? item.next_->previous_ : last_) = item.previous_;
        item.queued_ = false;
    }

    RunQueueHook *first_ = nullptr;
    RunQueueHook *last_ = nullptr;
    Task *current_ = nullptr;
    u64 slice_ticks_;
    u64 turn_end_ = 0;
    u32 turn_ = 1;
    bool preempt_ = false;
    bool yielded_ = false;
};

} // namespace sel4vm::el2
