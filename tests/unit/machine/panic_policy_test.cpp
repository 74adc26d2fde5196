// SPDX-License-Identifier: BSD-2-Clause
//
// What `on_panic` of a description makes of a line that the guest's kernel prints on its serial port.
#include <gtest/gtest.h>
#include <support/machine_rig.hpp>
#include <support/vm_fixture.hpp>

namespace sel4vm::machine {
namespace {

constexpr u32 kSystemReset = 0x8400'0009;
constexpr std::string_view kPanic = "Kernel panic - not syncing: oops\r\n";

struct Guest {
    explicit Guest(const MachineDescription &description) : rig(description) {
        if (!rig.start())
            ADD_FAILURE() << "it does not start";
        settle();
    }
    void print(std::string_view text, u64 port = 0x0900'0000) {
        for (const char c : text)
            rig.deliver(test::write_exit(port, static_cast<u8>(c)));
    }
    void wait_for_the_end_of_the_grace() {
        rig.clock.advance(PanicWatch::kGraceSeconds * rig.clock.ticks_per_second());
        rig.executor.timeouts().run_due(rig.clock.now_ticks());
        settle();
    }
    void settle() {
        for (int i = 0; i < 100 && rig.machine->vm().state() != VmState::stopped; ++i)
            rig.deliver(test::read_exit(0x0900'0018)); // does nothing, and gives the executor its turn
    }
    [[nodiscard]] VmState state() const { return rig.machine->vm().state(); }
    test::MachineRig rig;
};

MachineDescription described(PanicPolicy policy) {
    MachineDescription vm = test::small_machine(GicVersion::v3, 1);
    vm.on_panic = policy;
    return vm;
}

TEST(PanicPolicy, StopsTheVmUnlessToldOtherwise) {
    Guest guest(test::small_machine(GicVersion::v3, 1));
    guest.print(kPanic);
    EXPECT_EQ(guest.state(), VmState::running);
    guest.wait_for_the_end_of_the_grace();
    EXPECT_EQ(guest.state(), VmState::stopped);
    EXPECT_EQ(guest.rig.machine->vm().stop_detail(), "kernel panic: oops");
    EXPECT_EQ(guest.rig.console.text, kPanic);
}

TEST(PanicPolicy, RestartsTheVm) {
    Guest guest(described(PanicPolicy::restart));
    guest.print(kPanic);
    guest.wait_for_the_end_of_the_grace();
    EXPECT_EQ(guest.state(), VmState::running);
    ASSERT_EQ(guest.rig.log.lines.size(), 1U);
    EXPECT_EQ(guest.rig.log.lines[0].text, "kernel panic: oops; restarting");
}

TEST(PanicPolicy, MayBeToIgnoreIt) {
    Guest guest(described(PanicPolicy::ignore));
    guest.print(kPanic);
    guest.wait_for_the_end_of_the_grace();
    EXPECT_EQ(guest.state(), VmState::running);
    EXPECT_TRUE(guest.rig.log.lines.empty());
}

TEST(PanicPolicy, HasNothingToSayAboutAKernelThatRebootedByItself) {
    Guest guest(described(PanicPolicy::stop));
    guest.print(kPanic);
    guest.rig.deliver(test::hypercall_exit(kSystemReset));
    guest.settle();
    EXPECT_EQ(guest.state(), VmState::running);
    guest.wait_for_the_end_of_the_grace();
    EXPECT_EQ(guest.state(), VmState::running);
}

TEST(PanicPolicy, IsAboutWhatReachesTheConsole) {
    MachineDescription vm = described(PanicPolicy::stop);
    vm.devices[0].console = ConsoleRoute::none;
    DeviceRecord second = default_uart();
    second.name = "second";
    second.registers.base = Gpa{0x0904'0000};
    second.spi = 8;
    (void)vm.devices.emplace_back(second);
    Guest guest(vm);
    guest.print(kPanic);
    guest.print("Kernel panic - not ", 0x0904'0000);
    guest.wait_for_the_end_of_the_grace();
    EXPECT_EQ(guest.state(), VmState::running);
    guest.print("syncing: second\n", 0x0904'0000);
    guest.wait_for_the_end_of_the_grace();
    EXPECT_EQ(guest.state(), VmState::stopped);
}

} // namespace
} // namespace sel4vm::machine
