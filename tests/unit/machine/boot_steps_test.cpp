// SPDX-License-Identifier: BSD-2-Clause
//
// A start and a reset of the `virt` machine, step by step: images are copied and RAM is cleared in pieces, and the guest finds
// both as they were at the first start.
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/psci.hpp>

#include <gtest/gtest.h>
#include <support/machine_rig.hpp>

namespace sel4vm::test {
namespace {

constexpr u64 kRam = 0x4000'0000;
constexpr u64 kKernel = kRam + 0x8'0000; // where a raw kernel goes
constexpr u64 kKernelBytes = 3 * kBootStepBytes + 0x1000;
constexpr u32 kSystemReset = 0x8400'0009;

struct BootStepsTest : testing::Test {
    BootStepsTest() {
        description.images[0].size_bytes = kKernelBytes;
        for (usize i = 0; i < kernel.size(); ++i)
            kernel[i] = static_cast<u8>(i * 7 + i / 4096);
    }
    /// How many events it takes until the machine runs.
    int until_it_runs(MachineRig &rig) {
        int steps = 0;
        while (rig.machine->vm().state() != VmState::running && steps < 1000) {
            EXPECT_TRUE(rig.executor.step());
            ++steps;
        }
        return steps;
    }
    machine::MachineDescription description = small_machine(machine::GicVersion::v3, 1);
    std::vector<u8> kernel = std::vector<u8>(kKernelBytes);
};

TEST_F(BootStepsTest, ImagesOfMoreThanAStepAreCopiedInTurns) {
    MachineRig rig(description, fake::ListRegisters::full(), {kernel});
    ASSERT_TRUE(rig.start());
    EXPECT_EQ(rig.machine->vm().state(), VmState::starting);
    EXPECT_EQ(until_it_runs(rig), 3) << "the first step was the start's own";
    std::vector<u8> found(kernel.size());
    ASSERT_TRUE(rig.machine->vm().memory().read(Gpa{kKernel}, found));
    EXPECT_EQ(found, kernel);
}

TEST_F(BootStepsTest, AResetClearsRamInTurnsAndCopiesTheImagesAgain) {
    MachineRig rig(description, fake::ListRegisters::full(), {kernel});
    ASSERT_TRUE(rig.start());
    static_cast<void>(until_it_runs(rig));
    GuestMemory &memory = rig.machine->vm().memory();
    ASSERT_TRUE(memory.fill(Gpa{kRam}, 8 * kMiB, 0xee));
    rig.vcpus[0].set_general_register(0, kSystemReset);
    rig.events.script(VmId{0}, VcpuId{0}, Exit{aarch64::hypercall(kSystemReset, 0, aarch64::Conduit::hvc)});
    while (rig.machine->vm().state() == VmState::running)
        ASSERT_TRUE(rig.executor.step());
    ASSERT_EQ(rig.machine->vm().state(), VmState::resetting);
    EXPECT_GE(until_it_runs(rig), static_cast<int>(8 * kMiB / kBootStepBytes))
        << "a turn for each piece of RAM, at least";
    std::vector<u8> found(kernel.size());
    ASSERT_TRUE(memory.read(Gpa{kKernel}, found));
    EXPECT_EQ(found, kernel);
    EXPECT_EQ(*memory.load<u64>(Gpa{kRam + 8 * kMiB - 8}), 0u);
}

} // namespace
} // namespace sel4vm::test
