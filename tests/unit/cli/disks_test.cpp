// SPDX-License-Identifier: BSD-2-Clause
//
// [[vm.disk]]: which devices and files it makes, where they go, and what is said of bad ones.
#include <apps/sel4vm/system_file.hpp>
#include <support/parsed_system.hpp>

#include <apps/sel4vm/vm_options.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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
              (Lines{"a.toml:4: key 'vm.disk': missing: path, or machine"}));
    const Lines odd = all_mistakes_in(std::string(kSmallest) + "[[vm.disk]]\npath = \"a\"\naddress = 0x0a000100\n");
    EXPECT_EQ(odd, (Lines{"a.toml:5: key 'vm.disk.path': value \"a\": expected whole sectors of 512 bytes",
                          "a.toml:6: key 'vm.disk.address': value 0xa000100: expected a multiple of 0x200"}));
    EXPECT_EQ(mistakes_in(std::string(kSmallest) + "[[vm.disk]]\npath = \"a\"\nname = \"uart\"\n"),
              (Lines{"a.toml:6: key 'vm.disk.name': value \"uart\": expected a name of its own for each device: "
                     "vm.uart has it"}));
}

TEST(Disks, OnPciHaveASlotAndTheirVmABusAndMessages) {
    Mistakes mistakes;
    const auto system = parse_system(
        std::string(kSmallest) + "[[vm.disk]]\npath = \"a\"\ntransport = \"pci\"\n[[vm.disk]]\npath = \"b\"\n"
                                 "slot = 1\ntransport = \"pci\"\n[[vm.device]]\ntype = \"virtio-rng\"\nname = \"r\"\n"
                                 "transport = \"pci\"\n[[vm.disk]]\npath = \"c\"\n",
        "a.toml", mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    const auto &vm = system->description.vms[0];
    ASSERT_EQ(vm.devices.size(), 6U);
    EXPECT_EQ(vm.devices[2].slot, 2U) << "the generator: 1 is taken";
    EXPECT_EQ(vm.devices[3].slot, 3U);
    EXPECT_EQ(vm.devices[4].slot, 1U);
    EXPECT_EQ(vm.devices[5].slot, std::nullopt);
    EXPECT_EQ(vm.devices[5].registers.base, Gpa{0x0a00'0000});
    EXPECT_TRUE(vm.pci);
    EXPECT_EQ(vm.gic.msi.kind, machine::MsiKind::its);
}

TEST(Disks, OnPciHaveNoPlaceElsewhere) {
    const auto said = [](const std::string &text) {
        std::string all;
        for (const std::string &line : all_mistakes_in(std::string(kSmallest) + text))
            all += line + "\n";
        return all;
    };
    EXPECT_NE(said("[[vm.disk]]\npath = \"a\"\ntransport = \"pci\"\naddress = 0x0a000000\n").find("finds its place"),
              std::string::npos);
    EXPECT_NE(said("[[vm.disk]]\npath = \"a\"\ntransport = \"mmio\"\nslot = 3\n").find("only possible with transport"),
              std::string::npos);
    EXPECT_NE(said("[[vm.device]]\ntype = \"pl031\"\nname = \"r\"\ntransport = \"pci\"\n").find("can be on PCI"),
              std::string::npos);
    EXPECT_NE(said("pci = false\n[[vm.disk]]\npath = \"a\"\ntransport = \"pci\"\n").find("a VM with a PCI bus"),
              std::string::npos);
    EXPECT_NE(
        said("[[vm.disk]]\npath = \"a\"\nslot = 3\n[[vm.disk]]\npath = \"b\"\nslot = 3\n").find("another slot than"),
        std::string::npos);
    EXPECT_NE(said("pci = true\n[vm.uart]\nirq = 4\n").find("another SPI than those of PCI"), std::string::npos);
}

/// A folder with files that may be disks.
struct DiskFiles : testing::Test {
    DiskFiles() {
        write("whole", std::string(1024, 'x'));
        write("odd", std::string(1000, 'x'));
        write("empty", "");
        write("qcow2", std::string("QFI\xfb") + std::string(600, '\0'));
    }
    ~DiskFiles() override { std::filesystem::remove_all(folder); }
    void write(const char *name, const std::string &text) { std::ofstream(folder / name) << text; }
    std::unique_ptr<System> parse(const std::string &disks) {
        return parse_system(std::string(kSmallest) + disks, (folder / "a.toml").string(), mistakes);
    }
    std::string said() {
        std::string all;
        for (const std::string &text : mistakes.texts())
            all += text + "\n";
        return all;
    }
    std::filesystem::path folder = [] {
        std::string name = std::filesystem::temp_directory_path() / "sel4vm-disks-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        return std::filesystem::path(name);
    }();
    Mistakes mistakes;
};

TEST_F(DiskFiles, ThoseThatAreKeptAndThoseInQemusFormatAreDisksOfTheMachine) {
    const auto system = parse("[[vm.disk]]\npath = \"whole\"\nkeep = true\n[[vm.disk]]\npath = \"qcow2\"\n"
                              "[[vm.disk]]\npath = \"qcow2\"\nread_only = true\n[[vm.disk]]\nmachine = \"root\"\n"
                              "[[vm.disk]]\npath = \"whole2\"\n");
    EXPECT_EQ(said(), "");
    const auto &devices = system->description.vms[0].devices;
    ASSERT_EQ(devices.size(), 7U);
    EXPECT_EQ(devices[2].machine_disk, "sel4vm-0");
    EXPECT_EQ(devices[3].machine_disk, "sel4vm-1");
    EXPECT_TRUE(devices[4].read_only);
    EXPECT_EQ(devices[5].machine_disk, "root");
    EXPECT_EQ(devices[6].machine_disk, "") << "an image, which is looked at when it is loaded";
    ASSERT_EQ(system->drives.size(), 3U);
    using Writes = MachineDrive::Writes;
    EXPECT_EQ(system->drives[0].writes, Writes::kept);
    EXPECT_EQ(system->drives[1].writes, Writes::dropped);
    EXPECT_EQ(system->drives[2].writes, Writes::refused);
    EXPECT_FALSE(system->drives[0].qcow2);
    EXPECT_TRUE(system->drives[1].qcow2);
}

TEST_F(DiskFiles, WhatCannotBeADiskIsSaid) {
    for (const auto &[name, why] : {std::pair{"none", "does not exist"}, std::pair{"odd", "no whole sectors of 512"},
                                    std::pair{"empty", "is empty"}, std::pair{".", "is a directory"}}) {
        mistakes = {};
        static_cast<void>(parse(std::string("[[vm.disk]]\npath = \"") + name + "\"\nkeep = true\n"));
        EXPECT_NE(said().find(why), std::string::npos) << said();
    }
    mistakes = {};
    static_cast<void>(
        parse("[[vm.disk]]\npath = \"whole\"\nkeep = true\n[[vm.disk]]\npath = \"./whole\"\nkeep = true\n"));
    EXPECT_NE(said().find("a file of its own"), std::string::npos) << said();
    mistakes = {};
    static_cast<void>(parse("[[vm.disk]]\npath = \"whole\"\nmachine = \"root\"\nkeep = true\n"));
    EXPECT_NE(said().find("is not possible beside machine"), std::string::npos) << said();
    EXPECT_NE(said().find("keeps what is written"), std::string::npos) << said();
}

TEST_F(DiskFiles, OptionsSayTheSame) {
    RunOptions options;
    options.vm.kernel = "k";
    for (const char *end : {",keep", ",ro,keep", ",keep,ro", ",ro"})
        options.vm.disks.push_back((folder / "whole").string() + end);
    const auto system = system_from_options(options, mistakes);
    ASSERT_EQ(system->drives.size(), 3U);
    EXPECT_EQ(system->drives[0].writes, MachineDrive::Writes::kept);
    EXPECT_EQ(system->drives[1].writes, MachineDrive::Writes::refused);
    EXPECT_EQ(system->drives[2].writes, MachineDrive::Writes::refused);
    EXPECT_EQ(said().find("a file of its own") != std::string::npos, true) << "the others have what the first changes";
}

} // namespace
} // namespace sel4vm::cli
