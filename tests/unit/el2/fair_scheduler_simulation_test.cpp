// SPDX-License-Identifier: BSD-2-Clause
//
// The scheduler's promise, against patterns that were thrown and patterns that were thought out to break it: no VM is ever more than one
// slice behind its fair share, and no vCPU more than two. The fair share is that of an ideal CPU which is divided at each
// moment into equal parts: among the VMs that can run or have had more than the ideal gave them until now, and what a VM
// really has among its vCPUs in the same way.
#include "scheduler_simulation.hpp"

namespace sel4vm::el2 {
namespace {

/// Everything at once, each task with a character of its own that may change.
Next throw_next(Random &random, u64 character, u64 vms) {
    Next next;
    switch (random(8)) {
    case 0: next.what = vms % 2 == 0 ? Next::What::yield : Next::What::come_back; break;
    case 1: next.what = Next::What::come_back; break;
    case 2: next.what = Next::What::wake_sibling; break;
    default: next.what = Next::What::sleep; break;
    }
    switch (character % 5) {
    case 0: next.work = 1 + random(kSlice); break;
    case 1: next.work = kSlice - random(5); break;
    case 2: next.work = 1 + random(3 * kSlice); break;
    case 3: next.work = 1 + random(kSlice / 100); break;
    default: return kForEver;
    }
    switch (character / 5 % 5) {
    case 0: next.ticks = 1; break;
    case 1: next.ticks = 1 + random(kSlice / 50); break;
    case 2: next.ticks = 1 + random(4 * kSlice); break;
    case 3: next.ticks = kSlice * (1 + random(vms)); break;
    default: next.ticks = kSlice + random(3); break;
    }
    return next;
}

TEST(FairSchedulerSimulation, NobodyIsEverMoreThanASliceBehindWhateverTheOthersDo) {
    double worst_vm = 0;
    double worst_task = 0;
    for (u64 seed = 0; seed < 3000; ++seed) {
        Random random(seed);
        const usize vms = 2 + random(7);
        std::vector<usize> vcpus;
        for (usize vm = 0; vm < vms; ++vm)
            vcpus.push_back(random(3) == 0 ? 1 + random(8) : 1);
        std::vector<u64> characters(vms * 8);
        for (u64 &one : characters)
            one = random(25);
        const bool patient = random(2) == 0; // the first VM always wants the CPU
        const Costs costs = random(2) == 0 ? Costs{} : Costs{20 + random(100), 50 + random(300)};
        Machine machine(vcpus, costs, [&](Task &task) {
            if (patient && task.vm == 0)
                return kForEver;
            u64 &character = characters[task.vm * 8 + task.number];
            if (random(50) == 0)
                character = random(25);
            return throw_next(random, character, vms);
        });
        machine.begin();
        machine.run(60 * kSlice, 1500);
        worst_vm = std::max(worst_vm, machine.worst_vm_lag());
        worst_task = std::max(worst_task, machine.worst_task_lag());
        ASSERT_LT(machine.worst_vm_lag(), 1.0) << "a VM, seed " << seed;
        ASSERT_LT(machine.worst_task_lag(), 1.0) << "a vCPU within its VM, seed " << seed;
    }
    // Otherwise the patterns are too tame to show anything.
    EXPECT_GT(worst_vm, 0.7);
    EXPECT_GT(worst_task, 0.7);
}

/// VM 0 always wants the CPU; `others` do what they do.
void expect_fair(const std::vector<usize> &vcpus, Costs costs, const Machine::Behaviour &others,
                 const std::string &what) {
    Machine machine(vcpus, costs, [&](Task &task) { return task.vm == 0 ? kForEver : others(task); });
    machine.begin();
    machine.run(200 * kSlice, 5000);
    const auto vms = static_cast<double>(vcpus.size());
    EXPECT_LT(machine.worst_vm_lag(), 1.0) << what;
    EXPECT_GE(machine.had(0), static_cast<double>(machine.now()) / vms - kSlice) << what;
    EXPECT_LE(machine.longest_gap(0), (vcpus.size() == 2 ? 1 : 2 * (vcpus.size() - 1)) * kSlice * 101 / 100) << what;
}

TEST(FairSchedulerSimulation, ASleeperGetsNoMoreThanItsShareHoweverItTimesItsSleep) {
    for (const Costs costs : {Costs{}, Costs{30, 150}}) {
        for (const usize others : {1u, 2u, 4u}) {
            for (const u64 work : {1u, 500u, 5'000u, 50'000u, 90'000u, 99'000u, 99'900u, 100'000u, 150'000u}) {
                for (const u64 sleep : {1u, 200u, 2'000u, 50'000u, 99'999u, 100'000u, 100'200u}) {
                    std::vector<usize> vcpus(1 + others, 1);
                    expect_fair(
                        vcpus, costs,
                        [&](Task &) {
                            return Next{Next::What::sleep, sleep, work};
                        },
                        "works " + std::to_string(work) + " sleeps " + std::to_string(sleep) + ", VMs " +
                            std::to_string(others));
                }
            }
        }
    }
}

TEST(FairSchedulerSimulation, SleepersThatRelieveEachOtherGetNoMoreEither) {
    // One after another wakes up just when the one before has had a slice, so that the spinner would wait for all of them.
    for (usize others = 1; others < 8; ++others) {
        std::vector<usize> vcpus(1 + others, 1);
        expect_fair(
            vcpus, Costs{30, 150},
            [&](Task &task) {
                const bool first = task.tag() == 0;
                return Next{Next::What::sleep, first ? task.vm * kSlice : kSlice, kSlice};
            },
            std::to_string(others) + " others");
    }
}

TEST(FairSchedulerSimulation, ManyVcpusAreOneVm) {
    for (const usize count : {2u, 8u}) {
        expect_fair(
            {1, count}, Costs{30, 150}, [](Task &) { return kForEver; }, "spin");
        expect_fair(
            {1, count}, Costs{30, 150},
            [](Task &) {
                return Next{Next::What::wake_sibling, 0, 10};
            },
            "wake each other");
        expect_fair(
            {1, count}, Costs{30, 150},
            [](Task &) {
                return Next{Next::What::sleep, 1, 1};
            },
            "timers a tick ahead");
        expect_fair(
            {1, count}, Costs{30, 150},
            [](Task &) {
                return Next{Next::What::come_back, 0, 10};
            },
            "leave and come back");
        expect_fair(
            {1, count}, Costs{30, 150},
            [](Task &) {
                return Next{Next::What::yield, 0, 10};
            },
            "yield");
    }
}

} // namespace
} // namespace sel4vm::el2
