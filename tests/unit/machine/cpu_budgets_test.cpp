// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/cpu_budgets.hpp>

#include <support/descriptions.hpp>

#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace sel4vm::machine {
namespace {

class CpuBudgetsTest : public testing::Test {
protected:
    void add(u32 vcpus, u64 cpus, const CpuBudget &budget) {
        MachineDescription &vm = *system->vms.emplace_back(test::good_vm("vm"));
        vm.vcpu_count = vcpus;
        vm.cpus = cpus;
        vm.budget = budget;
    }
    [[nodiscard]] std::string excess(u32 cpu_count) const {
        const auto placed = place_vcpus(*system, cpu_count);
        const auto found = find_excess(*system, *placed);
        return found ? std::string(found->key.view()) + " with '" + std::string(found->other.view()) +
                           "': " + std::string(found->expected.view())
                     : "";
    }
    std::unique_ptr<SystemDescription> system = std::make_unique<SystemDescription>();
};

TEST_F(CpuBudgetsTest, AllOfACpuMayBePromised) {
    add(1, 0, {1000, 3000});
    add(1, 0, {2000, 3000});
    add(1, 0, {});
    EXPECT_EQ(excess(1), "");
    add(1, 0, {100, 1'000'000}); // a ten-thousandth more
    EXPECT_EQ(excess(1), "vm[3].budget with 'vm[1].budget': budgets that are no more than CPU 0 has, not 101 % of it");
    EXPECT_EQ(excess(2), "");
}

TEST_F(CpuBudgetsTest, EachCpuIsLookedAtForItself) {
    add(1, 2, {6000, 10'000});
    add(1, 1, {6000, 10'000});
    EXPECT_EQ(excess(2), "");
    add(1, 2, {5000, 10'000});
    EXPECT_EQ(excess(2), "vm[2].budget with 'vm[0].budget': budgets that are no more than CPU 1 has, not 110 % of it");
}

TEST_F(CpuBudgetsTest, AVmHasOnEachCpuThePartOfItsVcpus) {
    // Three of four vCPUs are on the second CPU: it has three quarters of the budget.
    add(3, 1, {});
    add(4, 3, {8000, 10'000});
    const auto placed = place_vcpus(*system, 2);
    ASSERT_TRUE(placed);
    ASSERT_EQ(vcpus_on(*system, *placed, 1, 0), 1u);
    ASSERT_EQ(vcpus_on(*system, *placed, 1, 1), 3u);
    system->vms[0].budget = {8000, 10'000};
    EXPECT_EQ(excess(2), "");
    system->vms[0].budget = {8100, 10'000};
    EXPECT_NE(excess(2), "");
}

} // namespace
} // namespace sel4vm::machine
