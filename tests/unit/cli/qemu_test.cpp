// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/qemu.hpp>

#include <algorithm>
#include <gtest/gtest.h>

namespace sel4vm::cli {
namespace {

using Lines = std::vector<std::string>;

bool has(const Lines &command, std::string_view word) {
    return std::find(command.begin(), command.end(), word) != command.end();
}

/// The word that follows `option`.
std::string value_of(const std::vector<std::string> &command, std::string_view option) {
    for (usize i = 0; i + 1 < command.size(); ++i)
        if (command[i] == option)
            return command[i + 1];
    return {};
}

QemuMachine machine() {
    QemuMachine out;
    out.settings.gic = 2;
    out.settings.memory_bytes = 640 * kMiB;
    out.kernel = "a b,c";
    return out;
}

TEST(QemuCommand, GivesTheHostEl2AndTheGuestsNoWayIntoThePc) {
    const auto command = qemu_command(machine());
    EXPECT_EQ(value_of(command, "-M"), "virt,gic-version=2,virtualization=on");
    EXPECT_EQ(value_of(command, "-m"), "655360k");
    EXPECT_EQ(value_of(command, "-kernel"), "a b,c") << "-kernel takes any file name as it is";
    EXPECT_FALSE(has(command, "-semihosting-config"));
    EXPECT_FALSE(has(command, "-icount"));
}

TEST(QemuCommand, WithoutTheHypervisorTheGuestStartsAtEl1) {
    QemuMachine bare = machine();
    bare.hypervisor = Hypervisor::absent;
    bare.cmdline = "console=ttyAMA0";
    const auto command = qemu_command(bare);
    EXPECT_EQ(value_of(command, "-M"), "virt,gic-version=2");
    EXPECT_EQ(value_of(command, "-append"), "console=ttyAMA0");
    EXPECT_FALSE(has(command, "-semihosting-config"));
}

TEST(QemuCommand, DeterministicTimeCountsInstructionsFromAFixedDate) {
    QemuMachine exact = machine();
    exact.timing = Timing::deterministic;
    const auto command = qemu_command(exact);
    EXPECT_EQ(value_of(command, "-icount"), "shift=0,sleep=off");
    EXPECT_EQ(value_of(command, "-rtc"), "clock=vm,base=2026-01-01");
    EXPECT_EQ(value_of(command, "-seed"), "1");
}

TEST(QemuCommand, ThePersonsOwnArgumentsComeLast) {
    QemuMachine own = machine();
    own.settings.arguments = {"-d", "int"};
    const auto command = qemu_command(own);
    ASSERT_GE(command.size(), 2U);
    EXPECT_EQ(command[command.size() - 2], "-d");
    EXPECT_EQ(command.back(), "int");
}

TEST(QemuCpu, OldOnesAreKnownToBeTooSmall) {
    for (const char *name : {"cortex-a15", "cortex-a9", "cortex-m4", "arm926", "pxa270"})
        EXPECT_FALSE(may_be_aarch64_cpu(name)) << name;
    for (const char *name : {"cortex-a57", "cortex-a72", "neoverse-n1", "max", "cortex-a53"})
        EXPECT_TRUE(may_be_aarch64_cpu(name)) << name;
}

TEST(Qemu, OffersDisksOfTheMachineUnderTheirNames) {
    QemuMachine with_disks = machine();
    with_disks.drives.push_back({"a,b", "sel4vm-0", MachineDrive::Writes::kept, false, {}});
    with_disks.drives.push_back({"c", "sel4vm-1", MachineDrive::Writes::dropped, true, {}});
    with_disks.drives.push_back({"d", "sel4vm-2", MachineDrive::Writes::refused, false, {}});
    const auto command = qemu_command(with_disks);
    EXPECT_TRUE(has(command, "virtio-mmio.force-legacy=false"));
    EXPECT_TRUE(has(command, "if=none,id=sel4vm-0,format=raw,file=a,,b"));
    EXPECT_TRUE(has(command, "if=none,id=sel4vm-1,format=qcow2,file=c,snapshot=on"));
    EXPECT_TRUE(has(command, "if=none,id=sel4vm-2,format=raw,file=d,readonly=on"));
    EXPECT_TRUE(has(command, "virtio-blk-device,drive=sel4vm-1,serial=sel4vm-1"));
}

} // namespace
} // namespace sel4vm::cli
