// SPDX-License-Identifier: BSD-2-Clause
//
// What firmware has in a whole machine. The flash chip: in its map, in the device tree, with its image, over a reset, and what validate() says of one.
// And what it is told by fw_cfg.
#include <gtest/gtest.h>
#include <sel4vm/machine/arm/device_tree.hpp>
#include <sel4vm/machine/validate.hpp>
#include <support/descriptions.hpp>
#include <support/device_tree.hpp>
#include <support/machine_rig.hpp>

#include <functional>
#include <string>

namespace sel4vm::machine {
namespace {

constexpr u64 kFlash = 0x0400'0000;

MachineDescription with_flash(std::optional<u32> image = 1, bool writable = true) {
    MachineDescription vm = test::small_machine(GicVersion::v3, 1);
    vm.flash = FlashRecord{Gpa{kFlash}, writable, image};
    ImageRecord contents;
    contents.kind = ImageKind::flash;
    contents.blob = 1;
    contents.size_bytes = 100;
    if (image)
        (void)vm.images.emplace_back(contents);
    return vm;
}

struct FlashMachineTest : testing::Test {
    void begin(const MachineDescription &description) {
        rig = std::make_unique<test::MachineRig>(
            description, fake::ListRegisters::full(),
            std::vector{std::vector<u8>(kPageBytes, u8{0x11}), std::vector<u8>(100, u8{0x22})});
        ASSERT_TRUE(validate(rig->description, 0).empty());
        ASSERT_TRUE(rig->start());
    }
    u64 get(u64 offset) {
        Vm &vm = rig->machine->vm();
        return vm
            .handle(vm.vcpu(VcpuId{0}), Exit{MemoryExit{Gpa{kFlash + offset}, 0, MemoryAccess::read, Width::b4, true}})
            .data();
    }
    void set(u64 offset, u64 value) {
        Vm &vm = rig->machine->vm();
        static_cast<void>(vm.handle(
            vm.vcpu(VcpuId{0}), Exit{MemoryExit{Gpa{kFlash + offset}, value, MemoryAccess::write, Width::b4, true}}));
    }
    [[nodiscard]] const fake::GuestSpace::Page *page(u64 offset) const { return rig->space.page(Gpa{kFlash + offset}); }
    std::unique_ptr<test::MachineRig> rig;
};

TEST_F(FlashMachineTest, TheGuestReadsItsImageAndWhatIsErasedBehindWithoutAnExit) {
    begin(with_flash());
    ASSERT_NE(page(0), nullptr);
    EXPECT_EQ(page(0)->protection, Protection::read_execute);
    EXPECT_NE(page(kFlashBankBytes - kPageBytes), nullptr);
    EXPECT_EQ(*rig->machine->vm().memory().load<u32>(Gpa{kFlash + 96}), 0x2222'2222U);
    EXPECT_EQ(*rig->machine->vm().memory().load<u32>(Gpa{kFlash + 100}), 0xffff'ffffU);
    EXPECT_EQ(*rig->machine->vm().memory().load<u32>(Gpa{kFlash + kFlashBankBytes - 4}), 0xffff'ffffU);
}

TEST_F(FlashMachineTest, WhatTheGuestProgramsIsKeptOverAReset) {
    begin(with_flash(std::nullopt));
    set(0x1000, 0x0040'0040);
    EXPECT_EQ(page(0x1000), nullptr) << "reads see the status";
    set(0x1000, 0x1234'5678);
    EXPECT_EQ(get(0), 0x0080'0080U);
    ASSERT_TRUE(rig->machine->vm().reset());
    for (int i = 0; i < 100 && rig->machine->vm().state() != VmState::running; ++i)
        static_cast<void>(rig->executor.step());
    EXPECT_NE(page(0x1000), nullptr);
    EXPECT_EQ(get(0x1000), 0x1234'5678U);
    EXPECT_EQ(rig->files[1], std::vector<u8>(100, u8{0x22})) << "its file stays as it is";
}

TEST_F(FlashMachineTest, ALockedOneRefusesToBeProgrammed) {
    begin(with_flash(1, false));
    set(0x1000, 0x0040'0040);
    set(0x1000, 0);
    EXPECT_EQ(get(0), 0x0092'0092U);
    set(0, 0x00ff'00ff);
    EXPECT_EQ(get(0x1000), 0xffff'ffffU);
}

TEST_F(FlashMachineTest, TheDeviceTreeHasIt) {
    begin(with_flash());
    std::vector<u64> buffer(0x4000 / sizeof(u64));
    const auto tree =
        write_device_tree(rig->description, {}, {reinterpret_cast<u8 *>(buffer.data()), buffer.size() * sizeof(u64)});
    ASSERT_TRUE(tree);
    const int node = fdt_path_offset(tree->data(), "/flash@4000000");
    ASSERT_GE(node, 0);
    EXPECT_EQ(fdt_node_check_compatible(tree->data(), node, "cfi-flash"), 0);
    int size = 0;
    const void *width = fdt_getprop(tree->data(), node, "bank-width", &size);
    ASSERT_EQ(size, 4);
    EXPECT_EQ(fdt32_ld(static_cast<const fdt32_t *>(width)), 4U);
}

TEST(FirmwareMachine, IsToldOfItsVcpusAndAKernelThatIsNotPlaced) {
    MachineDescription vm = test::small_machine(GicVersion::v3, 2);
    vm.cmdline = "quiet";
    ImageRecord firmware;
    firmware.kind = ImageKind::firmware;
    firmware.blob = 1;
    firmware.size_bytes = 100;
    (void)vm.images.emplace_back(firmware);
    test::MachineRig rig(vm, fake::ListRegisters::full(),
                         std::vector{std::vector<u8>(kPageBytes, u8{0x11}), std::vector<u8>(100, u8{0x22})});
    ASSERT_TRUE(validate(rig.description, 0).empty());
    ASSERT_TRUE(rig.start());
    EXPECT_EQ(*rig.machine->vm().memory().load<u64>(Gpa{0x4008'0000}), 0U) << "where it would be without firmware";
    const auto item = [&rig](u16 key, Width width) {
        Vm &machine = rig.machine->vm();
        const auto access = [&](u64 at, u64 value, MemoryAccess kind, Width of) {
            return machine.handle(machine.vcpu(VcpuId{0}), Exit{MemoryExit{Gpa{at}, value, kind, of, true}}).data();
        };
        static_cast<void>(access(0x0902'0008, __builtin_bswap16(key), MemoryAccess::write, Width::b2));
        return access(0x0902'0000, 0, MemoryAccess::read, width);
    };
    EXPECT_EQ(item(0x00, Width::b4), 0x554d'4551U);
    EXPECT_EQ(item(0x05, Width::b2), 2U);
    EXPECT_EQ(item(0x08, Width::b4), kPageBytes);
    EXPECT_EQ(item(0x11, Width::b4), 0x1111'1111U);
    EXPECT_EQ(item(0x0b, Width::b4), 0U);
    EXPECT_EQ(item(0x14, Width::b4), 6U);
    EXPECT_EQ(item(0x15, Width::b4), 0x6569'7571U) << "quie";
    std::vector<u64> buffer(0x4000 / sizeof(u64));
    const auto tree =
        write_device_tree(rig.description, {}, {reinterpret_cast<u8 *>(buffer.data()), buffer.size() * sizeof(u64)});
    ASSERT_TRUE(tree);
    EXPECT_GE(fdt_path_offset(tree->data(), "/fw-cfg@9020000"), 0);
}

TEST(FlashDescription, IsHeldAgainstTheRestOfTheVm) {
    struct Row {
        std::function<void(MachineDescription &)> breaks;
        const char *problem;
    };
    const Row rows[] = {
        {[](MachineDescription &vm) { vm.flash->base = Gpa{0x0800'0000}; }, "no overlap with"},
        {[](MachineDescription &vm) { vm.flash->base = Gpa{0x0100'0000}; }, "a multiple of 0x4000000"},
        {[](MachineDescription &vm) { vm.flash->image = 0; }, "an image of what it holds"},
        {[](MachineDescription &vm) { vm.flash->image = 77; }, "an image of what it holds"},
        {[](MachineDescription &vm) { vm.images[1].size_bytes = kFlashBankBytes + 1; }, "at most 64 MiB"},
        {[](MachineDescription &vm) { vm.flash.reset(); }, "a flash for the image"},
    };
    for (const Row &row : rows) {
        MachineDescription vm = with_flash();
        EXPECT_TRUE(validate(vm, 0).empty());
        row.breaks(vm);
        const Problems problems = validate(vm, 0);
        ASSERT_EQ(problems.size(), 1U) << row.problem;
        EXPECT_EQ(problems[0].key.view().substr(0, 11), "vm[0].flash") << row.problem;
        EXPECT_NE(problems[0].expected.view().find(row.problem), std::string_view::npos) << problems[0].expected.view();
    }
}

} // namespace
} // namespace sel4vm::machine
