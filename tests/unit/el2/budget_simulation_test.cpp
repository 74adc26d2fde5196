// SPDX-License-Identifier: BSD-2-Clause
//
// Budgets and priorities on a simulated CPU: a VM with a fifth of it gets that fifth, no more and no less, beside others that do whatever
// they can think of; who has a higher priority goes first; and the ordinary ones share what is left.
#include "scheduler_simulation.hpp"

namespace sel4vm::el2 {
namespace {

constexpr u64 kPeriod = 50'000;
constexpr u64 kBudget = 10'000;
constexpr u64 kPeriods = 100;
constexpr Costs kUsual{30, 150};

Next throw_next(Random &random, u64 character) {
    Next next;
    switch (random(8)) {
    case 0: next.what = Next::What::yield; break;
    case 1: next.what = Next::What::come_back; break;
    case 2: next.what = Next::What::wake_sibling; break;
    default: next.what = Next::What::sleep; break;
    }
    const u64 works[] = {1 + random(kBudget), kBudget - random(5), 1 + random(3 * kPeriod), 1 + random(100),
                         kForEver.work};
    const u64 sleeps[] = {1, 1 + random(kPeriod / 50), 1 + random(4 * kPeriod), kPeriod - random(3),
                          kPeriod + random(3)};
    next.work = works[character % 5];
    next.ticks = sleeps[character / 5 % 5];
    return next.work == kForEver.work ? kForEver : next;
}

/// VM 0 has the budget and always wants the CPU, VM 1 has none and does so, too; the others are random.
void run_beside(u64 seed, u32 priority, bool eager) {
    Random random(seed);
    const usize vms = 2 + random(5);
    std::vector<usize> vcpus;
    for (usize vm = 0; vm < vms; ++vm)
        vcpus.push_back(random(3) == 0 ? 1 + random(4) : 1);
    std::vector<u64> characters(vms * 4);
    for (u64 &one : characters)
        one = random(25);
    const Costs costs = random(2) == 0 ? Costs{1, 1} : kUsual;
    Machine machine(vcpus, costs, [&](Task &task) {
        if (task.vm == 1 || (task.vm == 0 && eager))
            return kForEver;
        u64 &character = characters[task.vm * 4 + task.number];
        if (random(50) == 0)
            character = random(25);
        return throw_next(random, character);
    });
    machine.set_priority(0, priority, kBudget, kPeriod);
    // Another one with a budget of its own, sometimes above.
    const bool second = vms > 2 && random(2) == 0;
    if (second)
        machine.set_priority(2, static_cast<u32>(random(VmShare::kPriorities)), kPeriod / 4, kPeriod * 2 / 3);
    machine.begin();
    machine.run(kPeriods * kPeriod, 1'000'000);
    ASSERT_GE(machine.now(), kPeriods * kPeriod / 10) << "seed " << seed;
    const auto periods = static_cast<double>(machine.now()) / static_cast<double>(kPeriod);
    const double had = machine.had(0) / static_cast<double>(kBudget);
    ASSERT_LE(had, periods + 1) << "seed " << seed;
    if (eager && priority != 0) {
        ASSERT_GE(had, periods - 1) << "seed " << seed;
    }
    // What budgets above leave is the ordinary ones', in equal parts.
    const double left =
        static_cast<double>(machine.now()) * (1 - 0.2 - (second ? 3.0 / 8 : 0)) / static_cast<double>(vms);
    ASSERT_GE(machine.had(1), left - 3 * kSlice) << "seed " << seed;
}

TEST(BudgetSimulation, OneThatAlwaysWantsTheCpuHasItsBudgetInEachPeriodWhateverTheOthersDo) {
    for (u64 seed = 0; seed < 1500; ++seed)
        run_beside(seed, static_cast<u32>(1 + seed % 3), true);
}

TEST(BudgetSimulation, NobodyHasMoreThanItsBudgetWhateverItDoes) {
    for (u64 seed = 0; seed < 1500; ++seed)
        run_beside(seed, static_cast<u32>(seed % 4), false);
}

/// VM 0 with a fifth of the CPU and `priority`, VM 1 spins; `others` do what they do.
double share_of_a_fifth(u32 priority, const std::vector<usize> &vcpus, const Machine::Behaviour &others) {
    Machine machine(vcpus, kUsual, [&](Task &task) { return task.vm < 2 ? kForEver : others(task); });
    machine.set_priority(0, priority, kBudget, kPeriod);
    machine.begin();
    machine.run(kPeriods * kPeriod, 3'000'000);
    EXPECT_GE(machine.now(), kPeriods * kPeriod);
    if (priority != 0) {
        EXPECT_LE(machine.longest_gap(0), kPeriod - kBudget + 1000);
    }
    return machine.had(0) / static_cast<double>(kBudget);
}

TEST(BudgetSimulation, StormsTakeNothingOfIt) {
    const std::pair<const char *, Machine::Behaviour> storms[] = {
        {"spin", [](Task &) { return kForEver; }},
        {"timers a tick ahead",
         [](Task &) {
             return Next{Next::What::sleep, 1, 1};
         }},
        {"wake each other",
         [](Task &) {
             return Next{Next::What::wake_sibling, 0, 10};
         }},
        {"leave and come back",
         [](Task &) {
             return Next{Next::What::come_back, 0, 10};
         }},
        {"yield",
         [](Task &) {
             return Next{Next::What::yield, 0, 10};
         }},
        {"sleep over the period's end",
         [](Task &) {
             return Next{Next::What::sleep, 200, kPeriod - 100};
         }},
    };
    for (const auto &[name, storm] : storms) {
        const double prior = share_of_a_fifth(1, {1, 1, 4}, storm);
        EXPECT_NEAR(prior, kPeriods, 1) << name;
        const double ordinary = share_of_a_fifth(0, {1, 1, 4}, storm);
        EXPECT_NEAR(ordinary, kPeriods, 1.5) << name << ", where a third would be its fair share";
    }
}

TEST(BudgetSimulation, AnIdleCpuGivesNoMore) {
    Machine machine({1}, kUsual, [](Task &) { return kForEver; });
    machine.set_priority(0, 0, kBudget, kPeriod);
    machine.begin();
    machine.run(kPeriods * kPeriod, 1'000'000);
    EXPECT_NEAR(machine.had(0) / kBudget, kPeriods, 1);
}

TEST(BudgetSimulation, HigherPrioritiesGoFirst) {
    // All want the CPU; three fifths are above.
    Machine machine({1, 1, 1, 1}, kUsual, [](Task &) { return kForEver; });
    for (usize vm = 0; vm < 3; ++vm)
        machine.set_priority(vm, static_cast<u32>(3 - vm), kBudget, kPeriod);
    machine.begin();
    machine.run(kPeriods * kPeriod, 1'000'000);
    for (usize vm = 0; vm < 3; ++vm) {
        EXPECT_NEAR(machine.had(vm) / kBudget, kPeriods, 1) << vm;
        EXPECT_LE(machine.longest_gap(vm), kPeriod - kBudget + 2000) << vm;
    }
    EXPECT_NEAR(machine.had(3) / kBudget, 2 * kPeriods, 6) << "the rest, less what switches cost";
}

} // namespace
} // namespace sel4vm::el2
