// SPDX-License-Identifier: BSD-2-Clause
//
// A CPU that runs tasks of several VMs by the real scheduler, and the ideal CPU that it is measured against. Time is counted by the
// simulation itself, not taken from the scheduler.
#pragma once

#include <hosts/el2/portable/sched/fair_scheduler.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace sel4vm::el2 {

constexpr u64 kSlice = 100'000;
constexpr u64 kUnseen = 1;

/// The ideal of one level.
class Ideal {
public:
    struct Member {
        double had = 0;  ///< of the real CPU
        double fair = 0; ///< of the ideal one
        bool runnable = false;
        bool active = false;
        bool yields = false; ///< gives away what is its own, so it may get less
    };
    explicit Ideal(usize count) : members_(count) {}

    [[nodiscard]] bool idle() const {
        return std::none_of(members_.begin(), members_.end(), [](const Member &one) { return one.runnable; });
    }
    void wake(usize which) {
        if (idle()) // the ideal has caught up with everybody
            for (Member &one : members_)
                retire(one);
        Member &member = members_[which];
        member.runnable = true;
        if (!member.active)
            member.fair = member.had;
        member.active = true;
    }
    void sleep(usize which) {
        Member &member = members_[which];
        member.runnable = false;
        if (member.fair >= member.had)
            retire(member); // what it was behind is lost
    }
    void yield(usize which) { members_[which].yields = true; }
    void use(usize which, u64 ticks) {
        Member &member = members_[which];
        member.had += static_cast<double>(ticks);
        if (!idle() && member.had > member.fair)
            member.active = true; // also one that sleeps: the cost of its leaving
    }
    void pass(double ticks) {
        while (ticks > 1e-6) {
            const auto active = static_cast<double>(
                std::count_if(members_.begin(), members_.end(), [](const Member &one) { return one.active; }));
            if (active == 0)
                return;
            double step = ticks;
            for (const Member &one : members_) {
                if (one.active && !one.runnable)
                    step = std::min(step, std::max(0.0, (one.had - one.fair) * active));
            }
            for (Member &one : members_) {
                if (one.active)
                    one.fair += step / active;
                if (one.active && !one.runnable && one.fair >= one.had - 1e-6)
                    retire(one);
            }
            ticks -= step;
        }
    }
    /// How far the one that is farthest behind is, in slices.
    [[nodiscard]] double worst_lag() const {
        double worst = 0;
        for (const Member &one : members_) {
            if (one.runnable && !one.yields)
                worst = std::max(worst, one.fair - one.had);
        }
        return worst / static_cast<double>(kSlice);
    }
    [[nodiscard]] double had(usize which) const { return members_[which].had; }

private:
    static void retire(Member &member) {
        member.active = false;
        member.fair = member.had;
    }
    std::vector<Member> members_;
};

struct Task : ScheduledTask {
    Task(VmShare &share, usize its_vm, usize its_number) : ScheduledTask(share), vm(its_vm), number(its_number) {}
    usize vm;
    usize number; ///< in its VM
    u64 left = 0; ///< that it works on
    u64 wakes_at = kNever;
};

/// What a task does when its work is done.
struct Next {
    enum class What : u8 { sleep, wait, yield, come_back, wake_sibling } what = What::sleep;
    u64 ticks = 0; ///< to sleep
    u64 work = 0;  ///< after that
};

/// Never does anything else.
constexpr Next kForEver{Next::What::sleep, 1, ~u64{0} >> 2};

/// What things cost, in ticks.
struct Costs {
    u64 interrupt = 0;
    u64 change = 0;
};

class Machine {
public:
    using Behaviour = std::function<Next(Task &)>;

    Machine(const std::vector<usize> &vcpus, Costs costs, Behaviour behaviour)
        : shares_(vcpus.size()), vms_(vcpus.size()), costs_(costs), behaviour_(std::move(behaviour)) {
        for (usize vm = 0; vm < vcpus.size(); ++vm) {
            within_.emplace_back(vcpus[vm]);
            tasks_.emplace_back();
            for (usize i = 0; i < vcpus[vm]; ++i)
                tasks_[vm].push_back(std::make_unique<Task>(shares_[vm], vm, i));
        }
    }
    ~Machine() {
        for (auto &vm : tasks_) {
            for (auto &task : vm)
                scheduler_.forget(*task);
        }
    }
    Machine(const Machine &) = delete;
    Machine &operator=(const Machine &) = delete;

    /// Before begin(). `period` 0: no limit.
    void set_priority(usize vm, u32 priority, u64 budget, u64 period) {
        shares_[vm].set_priority(priority, period != 0 ? CpuBudget(budget, period, 0) : CpuBudget());
    }
    void begin() {
        for (auto &vm : tasks_) {
            for (auto &task : vm)
                follow(*task, behaviour_(*task));
        }
    }
    /// Until `end`, or nothing happens any more, or so much has happened that it is enough.
    void run(u64 end, unsigned steps) {
        while (now_ < end && steps-- != 0 && step()) {
        }
    }
    [[nodiscard]] double worst_vm_lag() const { return worst_vm_; }
    [[nodiscard]] double worst_task_lag() const { return worst_task_; }
    [[nodiscard]] u64 longest_gap(usize vm) const { return gaps_[vm]; }
    [[nodiscard]] double had(usize vm) const { return vms_.had(vm); }
    [[nodiscard]] u64 now() const { return now_; }
    [[nodiscard]] u64 idle() const { return idle_; }

private:
    [[nodiscard]] bool runnable(usize vm) const {
        return std::any_of(tasks_[vm].begin(), tasks_[vm].end(), [](const auto &task) { return task->is_runnable(); });
    }
    void wake(Task &task) {
        task.wakes_at = kNever;
        if (task.is_runnable())
            return;
        if (!runnable(task.vm)) {
            vms_.wake(task.vm);
            since_[task.vm] = now_;
        }
        within_[task.vm].wake(task.number);
        scheduler_.wake(task);
    }
    void leave(Task &task) {
        scheduler_.remove(task);
        within_[task.vm].sleep(task.number);
        if (!runnable(task.vm)) {
            vms_.sleep(task.vm);
            since_[task.vm] = kNever;
        }
    }
    // The real CPU works for `task`; whoever has it.
    void spend(Task *task, u64 ticks) {
        if (task != nullptr) {
            vms_.use(task->vm, ticks);
            within_[task->vm].use(task->number, ticks);
            within_[task->vm].pass(static_cast<double>(ticks));
        } else {
            idle_ += ticks;
        }
        vms_.pass(static_cast<double>(ticks));
        now_ += ticks;
    }
    void follow(Task &task, const Next &next) {
        task.left = next.work;
        switch (next.what) {
        case Next::What::sleep:
            if (task.is_runnable())
                leave(task);
            task.wakes_at = now_ + next.ticks;
            break;
        case Next::What::wait:
            if (task.is_runnable())
                leave(task);
            break;
        case Next::What::come_back:
            if (task.is_runnable())
                leave(task);
            wake(task);
            break;
        case Next::What::yield:
            scheduler_.yield();
            vms_.yield(task.vm);
            within_[task.vm].yield(task.number);
            break;
        case Next::What::wake_sibling:
            wake(*tasks_[task.vm][(task.number + 1) % tasks_[task.vm].size()]);
            leave(task);
            break;
        }
    }
    [[nodiscard]] u64 next_wake_up() const {
        u64 first = kNever;
        for (const auto &vm : tasks_) {
            for (const auto &task : vm)
                first = std::min(first, task->wakes_at);
        }
        return first;
    }
    void look() {
        worst_vm_ = std::max(worst_vm_, vms_.worst_lag());
        for (const Ideal &vm : within_)
            worst_task_ = std::max(worst_task_, vm.worst_lag());
    }

    /// What the host does from one entry into a guest to the next.
    bool step() {
        scheduler_.advance(now_);
        Task *woke = nullptr;
        for (auto &vm : tasks_) {
            for (auto &task : vm) {
                if (task->wakes_at > now_)
                    continue;
                if (woke == nullptr)
                    woke = task.get();
                wake(*task);
            }
        }
        Task *const before = running_;
        Task *const picked = scheduler_.pick();
        look();
        if (picked == nullptr) {
            running_ = nullptr;
            const u64 next = std::min(next_wake_up(), scheduler_.next_look());
            if (next == kNever)
                return false;
            spend(nullptr, next - now_);
            scheduler_.advance(now_);
            return true;
        }
        if (scheduler_.switch_is_open()) {
            // Whoever left pays, or whose slice is over; a woken one that others had to make room for.
            Task *const payer = woke == picked || before == nullptr   ? picked
                                : woke != nullptr && before == picked ? woke
                                                                      : before;
            spend(payer, picked == before ? costs_.interrupt : costs_.change);
            vms_.use(payer->vm, kUnseen);
            within_[payer->vm].use(payer->number, kUnseen);
            scheduler_.entered(now_);
        }
        running_ = picked;
        if (since_[picked->vm] != kNever)
            gaps_[picked->vm] = std::max(gaps_[picked->vm], now_ - since_[picked->vm]);
        const u64 until = std::min({next_wake_up(), scheduler_.next_look(), now_ + picked->left});
        const u64 ticks = until > now_ ? until - now_ : 1;
        spend(picked, ticks);
        since_[picked->vm] = now_;
        picked->left -= std::min(picked->left, ticks);
        look();
        if (picked->left == 0) {
            scheduler_.advance(now_);
            follow(*picked, behaviour_(*picked));
        } else if (until != kNever) { // an interrupt
            scheduler_.advance(now_);
            scheduler_.nobody_pays();
        }
        return true;
    }

    std::deque<VmShare> shares_;
    std::vector<std::vector<std::unique_ptr<Task>>> tasks_;
    FairScheduler<Task> scheduler_{kSlice, kUnseen};
    Ideal vms_;
    std::vector<Ideal> within_;
    Costs costs_;
    Behaviour behaviour_;
    Task *running_ = nullptr;
    u64 now_ = 0;
    u64 idle_ = 0;
    double worst_vm_ = 0;
    double worst_task_ = 0;
    std::array<u64, 16> gaps_{};
    std::array<u64, 16> since_{};
};

struct Random {
    explicit Random(u64 seed) : engine(seed) {}
    u64 operator()(u64 below) { return engine() % below; }
    std::mt19937_64 engine;
};

} // namespace sel4vm::el2
