// SPDX-License-Identifier: BSD-2-Clause
//
// Message-signalled interrupts of a whole machine: the doorbell is where the device tree and the guest find it.
#include <gtest/gtest.h>
#include <support/machine_rig.hpp>

namespace sel4vm::test {
namespace {

using machine::GicVersion;
using machine::MsiKind;

constexpr u32 kIrq = 90;
constexpr u64 kDistributor = 0x0800'0000;

machine::MachineDescription with(MsiKind kind, GicVersion version) {
    machine::MachineDescription vm = small_machine(version, 1);
    vm.gic.msi.kind = kind;
    return vm;
}

/// The guest's accesses, and its CPU interface.
class Guest {
public:
    explicit Guest(const machine::MachineDescription &vm) : rig(vm) {
        EXPECT_TRUE(rig.start());
        const bool v3 = vm.gic.version == GicVersion::v3;
        store(kDistributor, 3); // both groups
        if (v3)
            store(0x080a'0000 + aarch64::gicr::kWaker, 0);
        store(kDistributor + aarch64::gicd::kIcfgr + 4 * (kIrq / 16), 2u << 2 * (kIrq % 16));
        store(kDistributor + aarch64::gicd::kIsenabler + 4 * (kIrq / 32), bit<u32>(kIrq % 32));
    }
    void store(u64 at, u64 value) {
        static_cast<void>(handle(Exit{MemoryExit{Gpa{at}, value, MemoryAccess::write, Width::b4, true}}));
    }
    u64 load(u64 at) { return handle(Exit{MemoryExit{Gpa{at}, 0, MemoryAccess::read, Width::b4, true}}).data(); }
    u32 take() {
        rig.lists[0].set_control(fake::ListRegisters::kOpen);
        load(kDistributor); // an exit, at whose end what is pending is loaded
        const auto taken = rig.lists[0].acknowledge();
        if (!taken)
            return 1023;
        rig.lists[0].end(taken->intid);
        return taken->intid;
    }
    MachineRig rig;

private:
    Answer handle(const Exit &exit) {
        Vm &vm = rig.machine->vm();
        return vm.handle(vm.vcpu(VcpuId{0}), exit);
    }
};

TEST(MachineMessages, ReachTheGuestThroughAV2mFrameOfEitherVersion) {
    for (const GicVersion version : {GicVersion::v2, GicVersion::v3}) {
        Guest guest(with(MsiKind::v2m, version));
        EXPECT_EQ(guest.load(0x0802'0008), 0x0050'0040u);
        const MsiDoorbell &doorbell = guest.rig.machine->msi();
        EXPECT_EQ(doorbell.at, Gpa{0x0802'0040});
        ASSERT_NE(doorbell.target, nullptr);
        doorbell.target->send(0, kIrq);
        EXPECT_EQ(guest.take(), kIrq);
        guest.store(doorbell.at.value(), kIrq);
        EXPECT_EQ(guest.take(), kIrq);
        EXPECT_EQ(guest.take(), 1023u);
    }
}

TEST(MachineMessages, ReachTheGuestThroughTheDistributor) {
    Guest guest(with(MsiKind::mbi, GicVersion::v3));
    const MsiDoorbell &doorbell = guest.rig.machine->msi();
    EXPECT_EQ(doorbell.at, Gpa{kDistributor + 0x40});
    ASSERT_NE(doorbell.target, nullptr);
    doorbell.target->send(0, kIrq);
    EXPECT_EQ(guest.take(), kIrq);
    guest.store(doorbell.at.value(), kIrq);
    EXPECT_EQ(guest.take(), kIrq);
    EXPECT_EQ(guest.take(), 1023u);
}

TEST(MachineMessages, AreNotThereUnlessTheyAreAskedFor) {
    Guest guest(with(MsiKind::none, GicVersion::v3));
    EXPECT_EQ(guest.rig.machine->msi().target, nullptr);
    guest.store(kDistributor + 0x40, kIrq);
    EXPECT_EQ(guest.take(), 1023u);
    EXPECT_FALSE(guest.rig.machine->vm().map().overlaps(*GpaRange::make(Gpa{0x0802'0000}, kPageBytes)));
}

TEST(MachineMessages, HaveTheirFrameWhereTheDescriptionPutsIt) {
    machine::MachineDescription vm = with(MsiKind::v2m, GicVersion::v3);
    vm.gic.msi.frame = {Gpa{0x0c00'0000}, 0x1000};
    vm.gic.msi.first_spi = 32;
    vm.gic.msi.spi_count = 1;
    Guest guest(vm);
    EXPECT_EQ(guest.load(0x0c00'0008), 0x0040'0001u);
    EXPECT_EQ(guest.rig.machine->msi().at, Gpa{0x0c00'0040});
}

TEST(MachineMessages, CannotHaveInterruptsThatTheControllerLacks) {
    machine::MachineDescription vm = with(MsiKind::v2m, GicVersion::v3);
    vm.gic.msi.first_spi = vm.gic.spi_count - 1;
    MachineRig rig(vm);
    const auto built = rig.machine->build();
    ASSERT_FALSE(built.has_value());
    EXPECT_EQ(built.error().key.view(), "gic.msi_spis");
}

} // namespace
} // namespace sel4vm::test
