// SPDX-License-Identifier: BSD-2-Clause
//
// Which private interrupts the machine's timers have is a setting, and the interrupts themselves follow it.
#include <support/machine_rig.hpp>

#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

constexpr u64 kIspendr0 = 0x0800'0000 + aarch64::gicd::kIspendr;

Answer handle(MachineRig &rig, const Exit &exit) {
    Vm &vm = rig.machine->vm();
    return vm.handle(vm.vcpu(VcpuId{0}), exit);
}

u64 pending(MachineRig &rig) {
    return handle(rig, Exit{MemoryExit{Gpa{kIspendr0}, 0, MemoryAccess::read, Width::b4, true}}).data();
}

TEST(TimerSettings, TheVirtualTimerHasTheInterruptOfItsSetting) {
    for (const u8 ppi : {u8{11}, u8{5}}) {
        machine::MachineDescription description = small_machine(machine::GicVersion::v2, 1);
        description.timer.virtual_timer = ppi;
        MachineRig rig(description);
        ASSERT_TRUE(rig.start());
        rig.timers[0].meet_condition();
        static_cast<void>(handle(rig, Exit{aarch64::irq_service(aarch64::IrqService::virtual_timer)}));
        EXPECT_EQ(pending(rig), u64{1} << (16 + ppi));
    }
}

TEST(TimerSettings, ThePhysicalTimerHasTheInterruptOfItsSetting) {
    for (const u8 ppi : {u8{14}, u8{6}}) {
        machine::MachineDescription description = small_machine(machine::GicVersion::v2, 1);
        description.timer.physical = ppi;
        MachineRig rig(description);
        ASSERT_TRUE(rig.start());
        static_cast<void>(handle(rig, Exit{SystemRegisterExit{aarch64::sysreg::kCntpCvalEl0, true, 0}}));
        static_cast<void>(handle(rig, Exit{SystemRegisterExit{aarch64::sysreg::kCntpCtlEl0, true, 1}}));
        EXPECT_EQ(pending(rig), u64{1} << (16 + ppi));
    }
}

} // namespace
} // namespace sel4vm::test
