// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/fair_scheduler.hpp>

#include <algorithm>
#include <utility>

namespace sel4vm::el2 {

[[gnu::noinline]] void SchedulerCore::charge(ScheduledTask &task, u64 ticks) {
    task.share_.tasks_.charge(task, ticks);
    level_of(task.share_).charge(task.share_, ticks);
    if (task.share_.budget_.limited())
        task.share_.budget_.use(ticks, now_);
}

// Its first task wants the CPU, or its budget is back.
void SchedulerCore::admit(VmShare &share) {
    if (share.is_runnable() || share.refill_.is_queued())
        return;
    if (share.budget_.limited()) {
        has_budgets_ = true;
        share.budget_.begin(now_);
        if (!share.budget_.available(now_))
            return refills_.add(share.refill_, share.budget_.available_at(), MinHeap::Place::behind_the_first);
    }
    level_of(share).wake(share, slice_);
    look_at_level(share);
}

void SchedulerCore::withdraw(VmShare &share) {
    level_of(share).remove(share);
    look_at_level(share);
    if (&share == running_share_)
        running_share_ = nullptr;
}

void SchedulerCore::wait_for_budget(VmShare &share) {
    withdraw(share);
    refills_.add(share.refill_, share.budget_.available_at(), MinHeap::Place::behind_the_first);
}

void SchedulerCore::take_refills() {
    while (HeapNode *first = refills_.least()) {
        if (is_before(now_, first->key()))
            return;
        VmShare &share = static_cast<VmShare::Refill *>(first)->share;
        refills_.remove(*first);
        if (share.wants_cpu())
            admit(share); // or it waits on, when it was charged meanwhile
    }
}

void SchedulerCore::wake(ScheduledTask &task) {
    settle();
    blame(task);
    task.share_.tasks_.wake(task, slice_);
    admit(task.share_);
}

void SchedulerCore::remove(ScheduledTask &task) {
    if (!task.is_runnable())
        return;
    settle();
    VmShare &share = task.share_;
    share.tasks_.remove(task);
    if (&task == running_)
        running_ = nullptr;
    if (!share.wants_cpu()) {
        share.budget_.rest();
        withdraw(share);
    }
}

void SchedulerCore::forget(ScheduledTask &task) {
    remove(task);
    VmShare &share = task.share_;
    share.tasks_.forget(task);
    if (share.task_count_ == 1) {
        level_of(share).forget(share);
        if (share.refill_.is_queued())
            refills_.remove(share.refill_);
    }
    if (payer_ == &task)
        payer_ = nullptr;
}

u64 SchedulerCore::end_of_turn() {
    if (running_ == nullptr)
        return kNever;
    settle();
    const u64 rest = std::min(rest_of_vm_turn(), rest_of_task_turn());
    return rest < kNever - now_ ? now_ + rest : kNever;
}

// When the running VM's budget ends, or another one's comes back.
[[gnu::noinline]] u64 SchedulerCore::next_budget() {
    settle();
    const HeapNode *refill = refills_.least();
    const u64 comes = refill != nullptr ? refill->key() : kNever;
    const bool runs_out = running_share_ != nullptr && running_share_->budget_.in_use();
    return runs_out ? std::min(comes, running_share_->budget_.lasts_until(now_)) : comes;
}

// The next VM that may have the CPU; nullptr when none may.
VmShare *SchedulerCore::take_share() {
    while (waiting_levels_ != 0) {
        FairQueue &level = levels_[static_cast<usize>(std::bit_width(waiting_levels_)) - 1];
        auto *share = static_cast<VmShare *>(level.take_next());
        look_at_level(*share);
        if (!share->budget_.limited() || share->budget_.available(now_))
            return share;
        wait_for_budget(*share); // others were charged to it
    }
    return nullptr;
}

ScheduledTask *SchedulerCore::pick_task() {
    settle();
    if (!refills_.empty())
        take_refills();
    VmShare *share = running_share_;
    const bool yielded = std::exchange(yielded_, false);
    bool interrupted = false; // by one that woke up
    if (share != nullptr) {
        share->budget_.begin(now_); // it may have kept its place while it slept
        FairQueue &tasks = share->tasks_;
        FairQueue &level = level_of(*share);
        bool task_over = false;
        bool vm_over = false;
        if (yielded && running_ != nullptr) {
            task_over = tasks.anybody_waits();
            vm_over = !task_over && level.anybody_waits();
            if (task_over)
                tasks.yield();
            else if (vm_over)
                level.yield();
        }
        if (share->budget_.limited() && !share->budget_.available(now_)) {
            if (running_ != nullptr)
                tasks.put_back();
            wait_for_budget(*share);
            share = nullptr;
        } else if (vm_over || rest_of_vm_turn() == 0) {
            interrupted = levels_[static_cast<usize>(std::bit_width(waiting_levels_)) - 1].next_is_woken();
            if (running_ != nullptr)
                tasks.put_back();
            level.put_back();
            look_at_level(*share);
            share = nullptr;
        } else if (running_ != nullptr && (task_over || rest_of_task_turn() == 0)) {
            interrupted = tasks.next_is_woken();
            tasks.put_back();
        } else if (running_ != nullptr) {
            return running_;
        }
        if (running_ != nullptr)
            blame(*running_); // its slice is over
    }
    if (share == nullptr) {
        share = take_share();
        running_share_ = share;
        vm_since_ = now_;
    }
    running_ = share != nullptr ? static_cast<ScheduledTask *>(share->tasks_.take_next()) : nullptr;
    task_since_ = now_;
    if (interrupted || payer_ == nullptr || running_ == nullptr)
        payer_ = running_;
    return running_;
}

} // namespace sel4vm::el2
