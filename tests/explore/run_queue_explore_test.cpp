// SPDX-License-Identifier: BSD-2-Clause
//
// el2's run queue with three tasks, two of one VM and one of another, that wake up, sleep and yield whenever they like. Time goes in steps of
// a quarter of a slice.
#include "explore.hpp"

#include <hosts/el2/portable/sched/fair_scheduler.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>

namespace sel4vm::el2 {
namespace {

constexpr u64 kSlice = 4;
constexpr usize kTasks = 3;
/// Whoever can run runs after each of the others had a turn; debts of its VM, and a switch that takes time, come on top.
constexpr u64 kLongestWait = 6 * kSlice;

struct Task : ScheduledTask {
    using ScheduledTask::ScheduledTask;
};

/// What is broken on purpose.
enum class Mutant : u8 {
    none,
    loses_a_wake_up, ///< of the third task, when it wakes up while another one runs
    forgets_the_end, ///< nobody looks again at the end of a slice
};

class RunQueue {
public:
    explicit RunQueue(Mutant mutant) : mutant_(mutant) {}
    RunQueue(const RunQueue &) = delete;
    RunQueue &operator=(const RunQueue &) = delete;
    ~RunQueue() {
        for (Task &task : tasks_)
            scheduler_.forget(task);
    }

    enum Step : usize { wake, sleep = 3, tick = 6, yield, kSteps };
    [[nodiscard]] static usize steps() { return kSteps; }
    [[nodiscard]] static std::string name(usize step) {
        if (step < tick)
            return "task " + std::to_string(step % kTasks) + (step < sleep ? " wakes up" : " sleeps");
        return step == tick ? "a quarter of a slice" : "the running task yields";
    }
    [[nodiscard]] bool possible(usize step) const {
        if (step < sleep)
            return !can_run_[step];
        if (step < tick)
            return can_run_[step - sleep];
        return step == tick || running_ != nullptr;
    }
    void take(usize step) {
        scheduler_.advance(now_);
        if (step < sleep) {
            can_run_[step] = true;
            waits_since_[step] = now_;
            if (mutant_ != Mutant::loses_a_wake_up || step != 2 || running_ == nullptr)
                scheduler_.wake(tasks_[step]);
        } else if (step < tick) {
            can_run_[step - sleep] = false;
            scheduler_.remove(tasks_[step - sleep]);
        } else if (step == tick) {
            ++now_;
        } else {
            ++now_;
            scheduler_.yield();
        }
        // As Processor does: it looks when something has happened, and when the scheduler said that it wants to.
        if (step != tick || (now_ >= look_at_ && mutant_ != Mutant::forgets_the_end))
            look();
    }

    [[nodiscard]] std::string state() {
        std::string bytes;
        const auto add = [&](u64 value) { bytes.push_back(static_cast<char>(std::min<u64>(value, 200))); };
        u64 least = ~u64{0};
        u64 least_of_vms = std::min(vm_a_.tag(), vm_b_.tag());
        for (const Task &task : tasks_)
            least = std::min(least, task.tag());
        for (usize n = 0; n < kTasks; ++n) {
            add(can_run_[n] ? 1 : 0);
            add(&tasks_[n] == running_ ? 1 : 0);
            add(tasks_[n].tag() - least);
            add(waited(n));
        }
        add(vm_a_.tag() - least_of_vms);
        add(vm_b_.tag() - least_of_vms);
        add(look_at_ == kNever ? 200 : look_at_ - std::min(look_at_, now_));
        add(now_ - switched_at_);
        return bytes;
    }
    [[nodiscard]] std::string wrong() const {
        const bool any = can_run_[0] || can_run_[1] || can_run_[2];
        if (any != (running_ != nullptr))
            return any ? "nobody runs although one could" : "one runs that cannot";
        for (usize n = 0; n < kTasks; ++n) {
            if (&tasks_[n] == running_ && !can_run_[n])
                return "task " + std::to_string(n) + " runs and cannot";
            if (waited(n) > kLongestWait)
                return "task " + std::to_string(n) + " has waited too long";
        }
        return {};
    }
    /// Everybody who can run goes on without a sleep: each must get its turns.
    [[nodiscard]] std::string left_behind() {
        std::array<bool, kTasks> had{};
        for (u64 n = 0; n < 2 * kLongestWait && wrong().empty(); ++n) {
            take(tick);
            for (usize task = 0; task < kTasks; ++task)
                had[task] = had[task] || &tasks_[task] == running_;
        }
        for (usize task = 0; task < kTasks; ++task) {
            if (can_run_[task] && !had[task])
                return "task " + std::to_string(task) + " never runs";
        }
        return wrong();
    }

private:
    void look() {
        scheduler_.advance(now_);
        Task *const before = running_;
        running_ = scheduler_.pick();
        if (running_ != nullptr && scheduler_.switch_is_open())
            scheduler_.entered(now_);
        look_at_ = scheduler_.next_look();
        for (usize n = 0; n < kTasks; ++n) {
            if (&tasks_[n] == before || &tasks_[n] == running_)
                waits_since_[n] = now_;
        }
        if (running_ != before) {
            switched_at_ = now_;
            ++now_; // what is charged for a switch passes, too
        }
    }
    [[nodiscard]] u64 waited(usize n) const {
        return can_run_[n] && &tasks_[n] != running_ ? now_ - waits_since_[n] : 0;
    }

    Mutant mutant_;
    FairScheduler<Task> scheduler_{kSlice, 1};
    VmShare vm_a_;
    VmShare vm_b_;
    std::array<Task, kTasks> tasks_{Task{vm_a_}, Task{vm_a_}, Task{vm_b_}};
    Task *running_ = nullptr;
    std::array<bool, kTasks> can_run_{};
    std::array<u64, kTasks> waits_since_{};
    u64 now_ = 100;
    u64 switched_at_ = 100;
    u64 look_at_ = kNever;
};

constexpr usize kShort = 4000;

test::Explored search(Mutant mutant = Mutant::none) {
    return test::explore(
        "run queue", [&] { return std::make_unique<RunQueue>(mutant); }, test::state_limit(kShort));
}

TEST(RunQueueExplored, WhoeverCanRunRunsSoon) {
    const test::Explored found = search();
    EXPECT_EQ(found.violation, "");
    EXPECT_TRUE(found.all || found.states == test::state_limit(kShort));
}

TEST(RunQueueExplored, ALostWakeUpIsFound) { EXPECT_NE(search(Mutant::loses_a_wake_up).violation, ""); }
TEST(RunQueueExplored, ASliceWithoutEndIsFound) { EXPECT_NE(search(Mutant::forgets_the_end).violation, ""); }

} // namespace
} // namespace sel4vm::el2
