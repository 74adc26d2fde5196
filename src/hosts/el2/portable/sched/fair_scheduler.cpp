// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/fair_scheduler.hpp>

#include <algorithm>
#include <utility>

namespace sel4vm::el2 {

[[gnu::noinline]] void SchedulerCore::charge(ScheduledTask &task, u64 ticks) {
    task.share_.tasks_.charge(task, ticks);
    vms_.charge(task.share_, ticks);
}

void SchedulerCore::wake(ScheduledTask &task) {
    settle();
    blame(task);
    task.share_.tasks_.wake(task, slice_);
    if (!task.share_.is_runnable())
        vms_.wake(task.share_, slice_);
}

void SchedulerCore::remove(ScheduledTask &task) {
    if (!task.is_runnable())
        return;
    settle();
    FairQueue &tasks = task.share_.tasks_;
    tasks.remove(task);
    if (&task == running_)
        running_ = nullptr;
    if (tasks.running() == nullptr && !tasks.anybody_waits())
        vms_.remove(task.share_);
}

void SchedulerCore::forget(ScheduledTask &task) {
    remove(task);
    task.share_.tasks_.forget(task);
    if (task.share_.task_count_ == 1)
        vms_.forget(task.share_);
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

ScheduledTask *SchedulerCore::pick_task() {
    settle();
    auto *share = static_cast<VmShare *>(vms_.running());
    const bool yielded = std::exchange(yielded_, false);
    bool interrupted = false; // by one that woke up
    if (share != nullptr) {
        FairQueue &tasks = share->tasks_;
        bool task_over = false;
        bool vm_over = false;
        if (yielded && running_ != nullptr) {
            task_over = tasks.anybody_waits();
            vm_over = !task_over && vms_.anybody_waits();
            if (task_over)
                tasks.yield();
            else if (vm_over)
                vms_.yield();
        }
        if (vm_over || rest_of_vm_turn() == 0) {
            interrupted = vms_.next_is_woken();
            if (running_ != nullptr)
                tasks.put_back();
            vms_.put_back();
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
        share = static_cast<VmShare *>(vms_.take_next());
        vm_since_ = now_;
    }
    running_ = share != nullptr ? static_cast<ScheduledTask *>(share->tasks_.take_next()) : nullptr;
    task_since_ = now_;
    if (interrupted || payer_ == nullptr || running_ == nullptr)
        payer_ = running_;
    return running_;
}

} // namespace sel4vm::el2
