// SPDX-License-Identifier: BSD-2-Clause
//
// [[vm.disk]]: which devices and files it makes, where they go, and what is said of bad ones.
#include <apps/sel4vm/system_file.hpp>
#include <support/parsed_system.hpp>

#include <gtest/gtest.h>
#include <sel4vm/machine/arm/virt_devices.hpp>

namespace sel4vm::cli {
namespace {

TEST(Disks, GoIntoFreeSlotsUnlessTheirPlaceIsSaid) {
    Mistakes mistakes;
    const auto system = parse_system(std::string(kSmallest) + R"(
[[vm.device]]
type = "virtio-rng"
name = "disk1"
address = 0x0a000000
irq = 17
[[vm.disk]]
path = "a.img"
[[vm.disk]]
path = "b.img"
name = "data"
read_only = true
address = 0x0a003e00
irq = 40
[[vm.disk]]
path = "c.img"
)",
                                     "some/a.toml", mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    const auto &vm = system->description.vms[0];
    ASSERT_EQ(vm.devices.size(), 6U);
    EXPECT_EQ(vm.devices[2].registers, (machine::AddressBlock{Gpa{0x0a00'0000}, 0x200}));
    const auto disk = [](std::string_view name, u64 at, u32 spi, u32 image) {
        return machine::DeviceRecord{dev::find_kind(machine::virt_devices(), "virtio-blk"),
                                     name,
                                     {Gpa{at}, 0x200},
                                     spi,
                                     Trigger::level,
                                     machine::ConsoleRoute::none,
                                     image};
    };
    EXPECT_EQ(vm.devices[3], disk("disk2", 0x0a00'0400, 18, 1)) << "the second slot's interrupt is the generator's";
    EXPECT_EQ(vm.devices[4], disk("data", 0x0a00'3e00, 40, 2));
    EXPECT_EQ(vm.devices[5], disk("disk3", 0x0a00'0600, 19, 3));
    ASSERT_EQ(vm.images.size(), 4U);
    EXPECT_EQ(vm.images[1].kind, machine::ImageKind::disk);
    EXPECT_TRUE(vm.images[1].writable);
    EXPECT_FALSE(vm.images[2].writable);
    EXPECT_EQ(system->images[2].path, "some/b.img");
}

TEST(Disks, FindNoSlotWhereSomethingIsInAllOfThem) {
    const Lines lines = all_mistakes_in(std::string(kSmallest) + "[[vm.device]]\ntype = \"pl031\"\nname = \"all\"\n" +
                                        "address = 0x09fff000\nsize = \"1G\"\nirq = 9\n[[vm.disk]]\npath = \"a\"\n");
    EXPECT_FALSE(lines.empty());
}

TEST(Disks, NeedAFileOfWholeSectorsAndAPlaceOfItsOwn) {
    EXPECT_EQ(mistakes_in(std::string(kSmallest) + "[[vm.disk]]\nname = \"a\"\n"),
              (Lines{"a.toml:4: key 'vm.disk.path': missing: expected the path of a file, relative to this one"}));
    const Lines odd = all_mistakes_in(std::string(kSmallest) + "[[vm.disk]]\npath = \"a\"\naddress = 0x0a000100\n");
    EXPECT_EQ(odd, (Lines{"a.toml:5: key 'vm.disk.path': value \"a\": expected whole sectors of 512 bytes",
                          "a.toml:6: key 'vm.disk.address': value 0xa000100: expected a multiple of 0x200"}));
    EXPECT_EQ(mistakes_in(std::string(kSmallest) + "[[vm.disk]]\npath = \"a\"\nname = \"uart\"\n"),
              (Lines{"a.toml:6: key 'vm.disk.name': value \"uart\": expected a name of its own for each device: "
                     "vm.uart has it"}));
}

} // namespace
} // namespace sel4vm::cli
