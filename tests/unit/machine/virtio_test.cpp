// SPDX-License-Identifier: BSD-2-Clause
//
// Virtio devices in a whole machine: on the bus among empty slots, in the device tree, served at the end of the exit that tells of a request; a disk
// that is written keeps it over a reset and leaves its image alone.
#include <sel4vm/dev/virtio/virtio_kinds.hpp>

#include <gtest/gtest.h>
#include <sel4vm/machine/arm/device_tree.hpp>
#include <sel4vm/machine/validate.hpp>
#include <support/device_tree.hpp>
#include <support/machine_rig.hpp>

namespace sel4vm::machine {
namespace {

constexpr u64 kRng = 0x0a00'0400, kDisk = 0x0a00'0000;
constexpr u64 kRam = 0x4000'0000 + kMiB;
constexpr u64 kDescriptors = kRam, kDriver = kRam + 0x1000, kDevice = kRam + 0x2000, kBuffer = kRam + 0x3000;

MachineDescription with_virtio(bool writable) {
    MachineDescription vm = test::small_machine(GicVersion::v3, 1);
    (void)vm.devices.emplace_back(
        DeviceRecord{&dev::kVirtioRng, "random", {Gpa{kRng}, 0x200}, 18, Trigger::level, ConsoleRoute::none, {}});
    (void)vm.devices.emplace_back(
        DeviceRecord{&dev::kVirtioBlk, "disk", {Gpa{kDisk}, 0x200}, 16, Trigger::level, ConsoleRoute::none, 1});
    ImageRecord disk;
    disk.kind = ImageKind::disk;
    disk.blob = 1;
    disk.size_bytes = 4096;
    disk.writable = writable;
    (void)vm.images.emplace_back(disk);
    return vm;
}

struct VirtioMachineTest : testing::Test {
    void begin(bool writable) {
        rig = std::make_unique<test::MachineRig>(
            with_virtio(writable), fake::ListRegisters::full(),
            std::vector{std::vector<u8>(kPageBytes, u8{0x11}), std::vector<u8>(4096, u8{0x22})});
        ASSERT_TRUE(validate(rig->description, 0).empty());
        ASSERT_TRUE(rig->start());
    }
    u64 get(u64 at) {
        Vm &vm = rig->machine->vm();
        return vm.handle(vm.vcpu(VcpuId{0}), Exit{MemoryExit{Gpa{at}, 0, MemoryAccess::read, Width::b4, true}}).data();
    }
    void set(u64 at, u64 value) {
        Vm &vm = rig->machine->vm();
        static_cast<void>(
            vm.handle(vm.vcpu(VcpuId{0}), Exit{MemoryExit{Gpa{at}, value, MemoryAccess::write, Width::b4, true}}));
    }
    template <class T>
    void poke(u64 at, T value) {
        ASSERT_TRUE(rig->machine->vm().memory().put(Gpa{at}, value));
    }
    void set_up(u64 device) {
        for (const u64 value : {0U, 1U, 3U})
            set(device + 0x70, value);
        set(device + 0x24, 1);
        set(device + 0x20, 1);
        set(device + 0x70, 11);
        set(device + 0x38, 8);
        set(device + 0x80, kDescriptors);
        set(device + 0x90, kDriver);
        set(device + 0xa0, kDevice);
        set(device + 0x44, 1);
        set(device + 0x70, 15);
        poke(kDriver, u64{0});
        poke(kDevice, u64{0});
    }
    void describe(u64 index, u64 at, u32 bytes, u16 flags) {
        poke(kDescriptors + 16 * index, at);
        poke(kDescriptors + 16 * index + 8, bytes);
        poke(kDescriptors + 16 * index + 12, u64{flags} | (index + 1) << 16 | 0);
    }
    void request(u32 type, u64 data_flags) {
        poke(kBuffer, u64{type});
        poke(kBuffer + 8, u64{1});
        describe(0, kBuffer, 16, 1);
        describe(1, kBuffer + 0x200, 512, static_cast<u16>(1 | data_flags));
        describe(2, kBuffer + 0x100, 1, 2);
        poke(kDriver + 2, static_cast<u16>(*rig->machine->vm().memory().load<u16>(Gpa{kDriver + 2}) + 1));
        set(kDisk + 0x50, 0);
    }
    std::unique_ptr<test::MachineRig> rig;
};

TEST_F(VirtioMachineTest, DevicesAreInTheirSlotsAndTheOthersAreEmpty) {
    begin(false);
    EXPECT_EQ(get(kDisk + 8), 2U);
    EXPECT_EQ(get(kRng + 8), 4U);
    for (u64 slot = 0; slot < 32; ++slot) {
        EXPECT_EQ(get(kDisk + 0x200 * slot), 0x7472'6976U) << slot;
        EXPECT_EQ(get(kDisk + 0x200 * slot + 8), slot == 0 ? 2U : slot == 2 ? 4U : 0U) << slot;
    }
}

TEST_F(VirtioMachineTest, NodesSayWhereTheyAreAndThatCachesAreSeen) {
    const MachineDescription vm = with_virtio(false);
    std::vector<u64> buffer(kDeviceTreeBufferBytes / 8);
    const auto tree = write_device_tree(vm, {}, {reinterpret_cast<u8 *>(buffer.data()), buffer.size() * sizeof(u64)});
    ASSERT_TRUE(tree.has_value());
    test::TreeView view(*tree);
    EXPECT_EQ(view.texts("/virtio_mmio@a000000", "compatible"), "virtio,mmio|");
    EXPECT_EQ(view.cells("/virtio_mmio@a000000", "interrupts"), (std::vector<u32>{0, 16, 4}));
    EXPECT_EQ(view.cells("/virtio_mmio@a000400", "reg"), (std::vector<u32>{0, 0xa00'0400, 0, 0x200}));
    EXPECT_EQ(view.cells("/virtio_mmio@a000400", "dma-coherent"), std::vector<u32>{});
}

TEST_F(VirtioMachineTest, ARequestIsServedAtTheEndOfTheExitThatTellsOfIt) {
    begin(false);
    set_up(kRng);
    describe(0, kBuffer, 8, 2);
    poke(kDriver + 2, u16{1});
    set(kRng + 0x50, 0);
    EXPECT_EQ(*rig->machine->vm().memory().load<u16>(Gpa{kDevice + 2}), 1U);
    EXPECT_NE(*rig->machine->vm().memory().load<u64>(Gpa{kBuffer}), 0U);
    EXPECT_EQ(get(kRng + 0x60), 1U);
}

TEST_F(VirtioMachineTest, WhatIsWrittenStaysOverAResetAndNotInTheImage) {
    begin(true);
    set_up(kDisk);
    poke(kBuffer + 0x200, u64{0x1234});
    request(1, 0);
    EXPECT_EQ(get(kDisk + 0x60), 1U);
    EXPECT_EQ(*rig->machine->vm().memory().load<u8>(Gpa{kBuffer + 0x100}), 0U);
    EXPECT_EQ(rig->files[1][512], 0x22U);

    Vm &vm = rig->machine->vm();
    ASSERT_TRUE(vm.reset());
    rig->deliver(Exit{ExitKind::kicked});
    ASSERT_EQ(vm.state(), VmState::running);
    EXPECT_EQ(get(kDisk + 0x70), 0U) << "the device was reset";
    set_up(kDisk);
    request(0, 2);
    EXPECT_EQ(*vm.memory().load<u64>(Gpa{kBuffer + 0x200}), 0x1234U);
}

TEST_F(VirtioMachineTest, ADiskOfTheImageIsReadInPlaceAndNotWritten) {
    begin(false);
    set_up(kDisk);
    request(0, 2);
    EXPECT_EQ(*rig->machine->vm().memory().load<u8>(Gpa{kBuffer + 0x200}), 0x22U);
    request(1, 0);
    EXPECT_EQ(*rig->machine->vm().memory().load<u8>(Gpa{kBuffer + 0x100}), 1U);
}

TEST_F(VirtioMachineTest, ADiskWithoutItsBytesIsNotBuilt) {
    MachineDescription vm = with_virtio(true);
    vm.images[1].size_bytes = 512;
    test::MachineRig other(vm, fake::ListRegisters::full(),
                           {std::vector<u8>(kPageBytes, u8{0x11}), std::vector<u8>(4096, u8{0x22})});
    const auto built = other.machine->build();
    ASSERT_FALSE(built.has_value());
    EXPECT_EQ(built.error().key.view(), "devices.disk");
}

} // namespace
} // namespace sel4vm::machine
