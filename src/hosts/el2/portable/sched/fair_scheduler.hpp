// SPDX-License-Identifier: BSD-2-Clause
//
// Which of the runnable tasks (vCPUs) of one CPU runs next, and who is charged for the time: fair queueing in two levels,
// first among the VMs of the highest priority that wants the CPU, and then among the tasks of the VM (fair_queue.hpp). A VM whose budget
// (cpu_budget.hpp) is used up waits until some of it has come back. Every tick from one advance() to the next is somebody's: the
// payer's. That is the task that runs, with all that it makes the host do; the one that has just left, until the next one runs; the
// one that was woken, from the interrupt that woke it. docs/adr/0007 says what that is worth.
//
// Pure logic: time is an argument, and the caller owns tasks and shares. One CPU's, not thread-safe.
#pragma once

#include <hosts/el2/portable/sched/cpu_budget.hpp>
#include <hosts/el2/portable/sched/fair_queue.hpp>

#include <array>
#include <bit>

namespace sel4vm::el2 {

/// A VM's share of one CPU. It outlives the tasks that use it, and what they owe with it.
class VmShare : public FairMember {
public:
    VmShare() = default;
    ~VmShare() { SEL4VM_ASSERT(task_count_ == 0); }
    /// How many tasks it has.
    [[nodiscard]] unsigned task_count() const { return task_count_; }

    static constexpr u32 kPriorities = 4;
    /// Before any of its tasks can run. VMs of a higher priority go first; with a budget, for as long as it lasts.
    void set_priority(u32 priority, const CpuBudget &budget = {}) {
        SEL4VM_ASSERT(priority < kPriorities && !is_runnable());
        priority_ = priority;
        budget_ = budget;
    }

private:
    friend class ScheduledTask;
    friend class SchedulerCore;
    /// Its place among those that wait for their budgets.
    struct Refill final : el2::HeapNode {
        explicit Refill(VmShare &its_share) : share(its_share) {}
        VmShare &share;
    };

    [[nodiscard]] bool wants_cpu() const { return tasks_.running() != nullptr || tasks_.anybody_waits(); }

    FairQueue tasks_;
    unsigned task_count_ = 0;
    u32 priority_ = 0;
    CpuBudget budget_;
    Refill refill_{*this};
};

/// What a task carries; a base class of it.
class ScheduledTask : public FairMember {
public:
    explicit ScheduledTask(VmShare &share) : share_(share) { ++share_.task_count_; }
    [[nodiscard]] VmShare &share() const { return share_; }

protected:
    ~ScheduledTask() { --share_.task_count_; }

private:
    friend class SchedulerCore;
    VmShare &share_;
};

/// FairScheduler without the type of its tasks.
class SchedulerCore {
public:
    /// `unseen_ticks`, at least one: what a switch or an interruption costs the one that runs next beyond what the clock shows,
    /// on the way out of its code and back, and parts of ticks.
    SchedulerCore(u64 slice_ticks, u64 unseen_ticks) : slice_(slice_ticks), unseen_(unseen_ticks) {}
    SchedulerCore(const SchedulerCore &) = delete;
    SchedulerCore &operator=(const SchedulerCore &) = delete;

    /// It is `now`: what follows happens now, and the time since the last call is the payer's.
    void advance(u64 now) { now_ = now; }
    [[nodiscard]] u64 now() const { return now_; }
    /// Nobody pays from now on, until somebody is picked, woken or named: what happens comes from outside, or the CPU sleeps.
    void nobody_pays() {
        settle();
        payer_ = nullptr;
    }
    /// The same when the CPU sleeps and the running task keeps its place, which it does not want now.
    void nobody_runs() {
        nobody_pays();
        if (has_budgets_ && running_share_ != nullptr)
            running_share_->budget_.rest();
    }
    /// What nobody has paid for since the last advance().
    [[nodiscard]] u64 unpaid(u64 now) const { return payer_ == nullptr ? now - now_ : 0; }
    /// The task pays from the last advance() on, if nobody does yet.
    void blame(ScheduledTask &task) {
        if (payer_ != nullptr)
            return;
        payer_ = &task;
        paid_until_ = now_;
    }
    /// Time that was used for a task, whoever runs.
    void charge(ScheduledTask &task, u64 ticks);

    /// `task` can run from now on, and could not before. It interrupts the running one as soon as it has not used more.
    void wake(ScheduledTask &task);
    /// `task` cannot run; nothing happens when it could not before.
    void remove(ScheduledTask &task);
    /// The task is going away: it can neither run nor pay.
    void forget(ScheduledTask &task);
    /// The running task lets another one of its VM go first, or when there is none, another VM.
    void yield() { yielded_ = true; }

    [[nodiscard]] bool anybody_waits() const {
        return waiting_levels_ != 0 || (running_ != nullptr && running_->share_.tasks_.anybody_waits());
    }
    /// Somebody could run if it had a budget.
    [[nodiscard]] bool waits_for_budget() const { return !refills_.empty(); }
    /// When pick() may choose another one if nothing happens before; kNever when it will not.
    [[nodiscard]] u64 next_look() {
        const u64 look = anybody_waits() ? end_of_turn() : kNever;
        return has_budgets() ? std::min(look, next_budget()) : look;
    }

    /// Whether somebody else than the running task pays for the switch to it; entered() ends that.
    [[nodiscard]] bool switch_is_open() const { return payer_ != running_; }
    /// The picked task goes on: from now on it pays.
    void entered(u64 now) {
        advance(now + unseen_);
        settle();
        now_ = now;
        paid_until_ = now;
        payer_ = running_;
    }

protected:
    [[nodiscard]] ScheduledTask *running() const { return running_; }
    [[nodiscard]] ScheduledTask *pick_task();
    /// Budgets have to be looked at: a VM that has one has wanted this CPU.
    [[nodiscard]] bool has_budgets() const { return has_budgets_; }

private:
    // Tags are brought up to date when somebody looks at them.
    void settle() {
        if (payer_ != nullptr && paid_until_ != now_)
            charge(*payer_, now_ - paid_until_);
        paid_until_ = now_;
    }
    [[nodiscard]] u64 end_of_turn();
    [[nodiscard]] u64 next_budget();
    [[nodiscard]] FairQueue &level_of(const VmShare &share) { return levels_[share.priority_]; }
    /// After each change of that one.
    void look_at_level(const VmShare &share) {
        const u32 bit = u32{1} << share.priority_;
        waiting_levels_ = level_of(share).anybody_waits() ? waiting_levels_ | bit : waiting_levels_ & ~bit;
    }
    void admit(VmShare &share);
    void withdraw(VmShare &share);
    void wait_for_budget(VmShare &share);
    void take_refills();
    [[nodiscard]] VmShare *take_share();
    [[nodiscard]] bool higher_waits() const { return waiting_levels_ >> running_share_->priority_ > 1; }
    [[nodiscard]] u64 rest_of_vm_turn() {
        return higher_waits() ? 0 : level_of(*running_share_).rest_of_turn(now_ - vm_since_, slice_);
    }
    [[nodiscard]] u64 rest_of_task_turn() const {
        return running_->share_.tasks_.rest_of_turn(now_ - task_since_, slice_);
    }

    std::array<FairQueue, VmShare::kPriorities> levels_; ///< of VMs, by priority
    u32 waiting_levels_ = 0;                             ///< bit n: somebody waits in level n
    MinHeap refills_;                                    ///< of VMs that wait for their budgets
    VmShare *running_share_ = nullptr;                   ///< whose turn it is, also while none of its tasks runs
    ScheduledTask *running_ = nullptr;
    ScheduledTask *payer_ = nullptr;
    u64 now_ = 0;
    u64 paid_until_ = 0; ///< while somebody pays
    u64 vm_since_ = 0;   ///< since when the running VM has been running
    u64 task_since_ = 0; ///< the same of the task
    u64 slice_;
    u64 unseen_;
    bool yielded_ = false;
    bool has_budgets_ = false;
};

template <class Task>
class FairScheduler : public SchedulerCore {
public:
    using SchedulerCore::SchedulerCore;

    /// The task that runs now, or nullptr.
    [[nodiscard]] Task *current() const { return static_cast<Task *>(running()); }
    /// The task to run from now on, or nullptr when none can.
    [[nodiscard]] Task *pick() {
        if (running() != nullptr && !anybody_waits() && !has_budgets()) [[likely]] {
            // Nobody could go first if it yielded.
            return current();
        }
        return static_cast<Task *>(pick_task());
    }
};

} // namespace sel4vm::el2
