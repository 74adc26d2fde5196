// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/cpu_budgets.hpp>

namespace sel4vm::machine {

u32 vcpus_on(const SystemDescription &system, const CpuPlacement &placement, usize vm, u32 cpu) {
    u32 count = 0;
    for (u32 vcpu = 0; vcpu < system.vms[vm].vcpu_count; ++vcpu)
        count += placement.cpu_of[vm][vcpu] == cpu ? 1u : 0u;
    return count;
}

std::optional<Problem> find_excess(const SystemDescription &system, const CpuPlacement &placement) {
    constexpr u64 kWhole = 1'000'000; // millionths of a CPU; parts are rounded down
    for (u32 cpu = 0; cpu < kMaxCpus; ++cpu) {
        u64 sum = 0;
        std::optional<usize> before;
        for (usize vm = 0; (placement.used >> cpu & 1) != 0 && vm < system.vms.size(); ++vm) {
            const CpuBudget &budget = system.vms[vm].budget;
            const u64 here = vcpus_on(system, placement, vm, cpu);
            if (budget.budget_us == 0 || here == 0)
                continue;
            sum += budget.budget_us * kWhole * here / (u64{budget.period_us} * system.vms[vm].vcpu_count);
            if (sum > kWhole) {
                Problem problem;
                problem.key << "vm[" << u64{vm} << "].budget";
                problem.value << u64{budget.budget_us} << " of " << u64{budget.period_us};
                problem.expected << "budgets that are no more than CPU " << u64{cpu} << " has, not "
                                 << (sum + 9'999) / 10'000 << " % of it";
                if (before)
                    problem.other << "vm[" << u64{*before} << "].budget";
                return problem;
            }
            before = vm;
        }
    }
    return std::nullopt;
}

} // namespace sel4vm::machine
