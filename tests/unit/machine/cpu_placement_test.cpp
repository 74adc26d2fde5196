// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/cpu_placement.hpp>

#include <support/descriptions.hpp>

#include <gtest/gtest.h>
#include <memory>
#include <vector>

namespace sel4vm::machine {
namespace {

using Cpus = std::vector<u32>;

class CpuPlacementTest : public testing::Test {
protected:
    void add(u32 vcpus, u64 cpus = 0) {
        MachineDescription &vm = *system->vms.emplace_back(test::good_vm("vm"));
        vm.vcpu_count = vcpus;
        vm.cpus = cpus;
    }
    [[nodiscard]] Cpus cpus_of(const CpuPlacement &placement, usize vm) const {
        const auto &all = placement.cpu_of[vm];
        return {all.begin(), all.begin() + system->vms[vm].vcpu_count};
    }
    std::unique_ptr<SystemDescription> system = std::make_unique<SystemDescription>();
};

TEST_F(CpuPlacementTest, OneCpuHasThemAll) {
    add(3);
    add(1);
    const auto placed = place_vcpus(*system, 1);
    ASSERT_TRUE(placed);
    EXPECT_EQ(cpus_of(*placed, 0), (Cpus{0, 0, 0}));
    EXPECT_EQ(cpus_of(*placed, 1), (Cpus{0}));
    EXPECT_EQ(placed->used, 1u);
}

TEST_F(CpuPlacementTest, TheyAreSpreadOverTheLeastLoaded) {
    add(3);
    add(3);
    const auto placed = place_vcpus(*system, 4);
    ASSERT_TRUE(placed);
    EXPECT_EQ(cpus_of(*placed, 0), (Cpus{0, 1, 2}));
    EXPECT_EQ(cpus_of(*placed, 1), (Cpus{3, 0, 1}));
    EXPECT_EQ(placed->used, 0xfu);
}

TEST_F(CpuPlacementTest, ThoseThatNameCpusComeFirst) {
    add(2);
    add(3, 0b101);
    const auto placed = place_vcpus(*system, 3);
    ASSERT_TRUE(placed);
    EXPECT_EQ(cpus_of(*placed, 1), (Cpus{0, 2, 0}));
    EXPECT_EQ(cpus_of(*placed, 0), (Cpus{1, 1}));
}

TEST_F(CpuPlacementTest, NotEveryCpuIsUsed) {
    add(1, 0b1000);
    const auto placed = place_vcpus(*system, 8);
    ASSERT_TRUE(placed);
    EXPECT_EQ(cpus_of(*placed, 0), (Cpus{3}));
    EXPECT_EQ(placed->used, 0b1000u);
}

TEST_F(CpuPlacementTest, ACpuThatIsNotThereIsNamed) {
    add(1);
    add(1, 0b10'0001);
    const auto placed = place_vcpus(*system, 5);
    ASSERT_FALSE(placed);
    EXPECT_EQ(placed.error().vm, 1u);
    EXPECT_EQ(placed.error().cpu, 5u);
    EXPECT_TRUE(place_vcpus(*system, 6));
}

TEST_F(CpuPlacementTest, TheLastOfSixtyFourIsACpuAsTheOthers) {
    add(2, u64{1} << 63 | 1);
    const auto placed = place_vcpus(*system, kMaxCpus);
    ASSERT_TRUE(placed);
    EXPECT_EQ(cpus_of(*placed, 0), (Cpus{0, 63}));
    EXPECT_FALSE(place_vcpus(*system, kMaxCpus - 1));
}

} // namespace
} // namespace sel4vm::machine
