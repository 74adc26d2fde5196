// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/image_placement.hpp>

#include <support/descriptions.hpp>
#include <support/kernel_files.hpp>
#include <support/machine_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::machine {
namespace {

using test::Bytes;
using test::MachineRig;

constexpr u64 kBase = 0x4000'0000;
constexpr u64 kTreeMagic = 0xedfe'0dd0; // as a little-endian word

GpaRange range(u64 base, u64 size) { return *GpaRange::make(Gpa{base}, size); }

ImageRecord image(ImageKind kind, std::optional<Gpa> where, u64 size, u64 region = 0) {
    ImageRecord record;
    record.kind = kind;
    record.where = where;
    record.size_bytes = size;
    record.region_bytes = region;
    return record;
}

TEST(ImagePlacement, KnowsWhatAnImageCovers) {
    EXPECT_EQ(fixed_range(image(ImageKind::raw, Gpa{kBase + 1}, 5)), range(kBase + 1, 5));
    EXPECT_EQ(fixed_range(image(ImageKind::rom, Gpa{0x1000}, 5)), range(0x1000, 0x1000));
    EXPECT_EQ(fixed_range(image(ImageKind::rom, Gpa{0x1000}, 5, 0x3000)), range(0x1000, 0x3000));
    EXPECT_EQ(fixed_range(image(ImageKind::firmware, std::nullopt, 0x1001)), range(0, 0x2000));
    EXPECT_EQ(fixed_range(image(ImageKind::rom, std::nullopt, 5)), std::nullopt);
    EXPECT_EQ(fixed_range(image(ImageKind::rom, Gpa{0x1000}, ~u64{0})), std::nullopt);
    for (const ImageKind kind : {ImageKind::kernel, ImageKind::initrd, ImageKind::dtb})
        EXPECT_EQ(fixed_range(image(kind, Gpa{kBase}, 5)), std::nullopt);
}

TEST(ImagePlacement, AsksForRoomForEverythingInTheMap) {
    MachineDescription vm = test::small_machine(GicVersion::v3, 1);
    ImageRecord rom = image(ImageKind::rom, Gpa{0x1000}, 5);
    rom.blob = 1;
    (void)vm.images.emplace_back(rom);
    ImageRecord initrd = image(ImageKind::initrd, std::nullopt, 7);
    initrd.blob = 2;
    (void)vm.images.emplace_back(initrd);
    const Bytes kernel(kPageBytes), small(5), disk(7);
    const std::vector<std::span<const u8>> blobs{kernel, small, disk};
    ImagePlacement placement(vm, blobs);
    ASSERT_TRUE(placement.read_kernel());
    const boot::LayoutRequest &request = placement.request();
    ASSERT_NE(request.kernel, nullptr);
    EXPECT_EQ(request.kernel->entry, Gpa{kBase + 0x8'0000});
    EXPECT_EQ(request.initrd_bytes, 7u);
    EXPECT_EQ(std::vector<GpaRange>(request.memory.begin(), request.memory.end()),
              (std::vector<GpaRange>{range(kBase, 8 * kMiB)}));
    EXPECT_EQ(std::vector<GpaRange>(request.occupied.begin(), request.occupied.end()),
              (std::vector<GpaRange>{range(0x1000, 0x1000), range(0x0900'0000, 0x1000), range(0x0901'0000, 0x1000),
                                     range(0x0800'0000, 0x1'0000), range(0x080a'0000, 0xf6'0000)}));
}

TEST(ImagePlacement, RefusesAKernelThatIsNone) {
    const MachineDescription vm = test::small_machine(GicVersion::v3, 1);
    const Bytes zstd{0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0};
    const std::vector<std::span<const u8>> blobs{zstd};
    ImagePlacement placement(vm, blobs);
    const auto read = placement.read_kernel();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, boot::ImageErrorKind::zstd);
}

/// A machine whose program covers the RAM base, so that its device tree can only be at 0.
MachineDescription machine_for_elf(const Bytes &elf) {
    MachineDescription vm = test::small_machine(GicVersion::v3, 1);
    vm.images[0].size_bytes = elf.size();
    return vm;
}

TEST(VirtMachine, PutsTheDeviceTreeOutsideRamWhereTheProgramCoversItsBase) {
    const Bytes elf = test::elf(kBase, {{kBase, kBase}});
    MachineRig rig(machine_for_elf(elf), fake::ListRegisters::full(), {elf});
    ASSERT_TRUE(rig.start());
    EXPECT_EQ(rig.machine->vm().memory().load_width(Gpa{0}, Width::b4).value_or(0), kTreeMagic);
}

TEST(VirtMachine, GoesWithoutAnOptionalDeviceTreeThatDoesNotFit) {
    const Bytes elf = test::elf(kBase, {{kBase, kBase}});
    MachineDescription with_device = machine_for_elf(elf);
    with_device.devices[1].registers.base = Gpa{0};
    MachineDescription with_rom = machine_for_elf(elf);
    ImageRecord rom = image(ImageKind::rom, Gpa{0}, elf.size(), 0x10'0000);
    (void)with_rom.images.emplace_back(rom);
    MachineDescription with_ram = machine_for_elf(elf);
    (void)with_ram.memory.emplace_back(MemoryRegion{Gpa{0}, kMiB, RamKind::eager});
    for (const MachineDescription *vm : {&with_device, &with_rom, &with_ram}) {
        MachineRig rig(*vm, fake::ListRegisters::full(), {elf});
        ASSERT_TRUE(rig.start());
        EXPECT_NE(rig.machine->vm().memory().load_width(Gpa{0}, Width::b4).value_or(0), kTreeMagic);
    }
}

TEST(VirtMachine, StartsWhereTheKernelSaysUnlessToldOtherwise) {
    for (const std::optional<Gpa> entry : {std::optional<Gpa>{}, std::optional{Gpa{kBase + 0x8'0040}}}) {
        MachineDescription vm = test::small_machine(GicVersion::v3, 1);
        vm.entry = entry;
        MachineRig rig(vm);
        ASSERT_TRUE(rig.start());
        EXPECT_EQ(rig.vcpus[0].program_counter(), entry.value_or(Gpa{kBase + 0x8'0000}).value());
    }
}

TEST(VirtMachine, SaysWhichImageHasNoRoom) {
    MachineDescription vm = test::small_machine(GicVersion::v3, 1);
    (void)vm.images.emplace_back(image(ImageKind::raw, Gpa{kBase + 0x8'0fff}, kPageBytes));
    MachineRig rig(vm);
    const auto built = rig.machine->build();
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().message.view(), "the kernel's part at 0x40080000 overlaps another image");
}

TEST(VirtMachine, RefusesABundleWhoseBytesAreNotThoseOfItsManifest) {
    MachineDescription vm = test::small_machine(GicVersion::v3, 1);
    vm.images[0].size_bytes = kPageBytes - 1;
    MachineRig rig(vm);
    const auto built = rig.machine->build();
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().key.view(), "kernel");
}

} // namespace
} // namespace sel4vm::machine
