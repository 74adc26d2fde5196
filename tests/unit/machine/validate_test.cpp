// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_kinds.hpp>
#include <sel4vm/machine/names.hpp>
#include <sel4vm/machine/validate.hpp>

#include <support/descriptions.hpp>

#include <functional>
#include <gtest/gtest.h>
#include <string>

namespace sel4vm::machine {
namespace {

struct Case {
    const char *what;
    std::function<void(MachineDescription &)> breaks;
    const char *key;
    const char *value;
    const char *expected; // a part of it
};

ImageRecord image(ImageKind kind, std::optional<Gpa> where = {}, u64 size = 4096) {
    ImageRecord record;
    record.kind = kind;
    record.where = where;
    record.size_bytes = size;
    record.source = "file";
    return record;
}

std::string all(const Problems &problems) {
    std::string text;
    for (const Problem &p : problems)
        text += std::string(p.key.view()) + " = " + std::string(p.value.view()) + ", expected " +
                std::string(p.expected.view()) + "\n";
    return text;
}

TEST(Validate, AcceptsTheDefaultBoardWithEitherGic) {
    for (const GicVersion version : {GicVersion::v2, GicVersion::v3}) {
        SystemDescription system = test::good_system();
        system.vms[0].gic.version = version;
        EXPECT_EQ(all(validate(system)), "");
    }
}

TEST(Validate, AcceptsABudgetAsLongAsItsPeriodAndPrioritiesWithOne) {
    MachineDescription vm = test::good_vm();
    vm.budget = {10'000, 10'000};
    vm.priority = kMaxPriority;
    EXPECT_EQ(all(validate(vm, 0)), "");
}

MachineDescription with_disk() {
    MachineDescription vm = test::good_vm();
    (void)vm.devices.emplace_back(DeviceRecord{&dev::kVirtioBlk,
                                               "disk",
                                               {Gpa{0x0a00'0200}, 0x200},
                                               16,
                                               Trigger::level,
                                               ConsoleRoute::none,
                                               static_cast<u32>(vm.images.size())});
    (void)vm.images.emplace_back(image(ImageKind::disk));
    return vm;
}

TEST(Validate, AcceptsDisksOfAnySizeInSlotsOfTheirOwn) {
    MachineDescription vm = with_disk();
    (void)vm.devices.emplace_back(vm.devices[2]);
    vm.devices[3].name = "other";
    vm.devices[3].registers.base = Gpa{0x0a00'0400};
    vm.devices[3].spi = 17;
    vm.devices[3].disk = static_cast<u32>(vm.images.size());
    (void)vm.images.emplace_back(image(ImageKind::disk, {}, u64{1} << 40));
    vm.images[vm.images.size() - 1].writable = true;
    EXPECT_EQ(all(validate(vm, 0)), "");
}

TEST(Validate, RefusesDisksThatMakeNoSense) {
    const auto said = [](auto change) {
        MachineDescription vm = with_disk();
        change(vm);
        return all(validate(vm, 0));
    };
    EXPECT_EQ(said([](auto &vm) { vm.devices[2].disk.reset(); }),
              "vm[0].devices.disk.disk = none, expected an image of a disk\n");
    EXPECT_EQ(said([](auto &vm) { vm.devices[2].disk = 0; }),
              "vm[0].devices.disk.disk = 0, expected an image of a disk\n");
    EXPECT_EQ(said([](auto &vm) { vm.devices[2].disk = 99; }),
              "vm[0].devices.disk.disk = 99, expected an image of a disk\n");
    EXPECT_NE(
        said([](auto &vm) { vm.devices[1].disk = vm.devices[2].disk; }).find("no image for a device that is no disk"),
        std::string::npos);
    EXPECT_EQ(said([](auto &vm) { vm.images[vm.images.size() - 1].size_bytes = 513; }),
              "vm[0].devices.disk.disk = 513, expected whole sectors of 512 bytes\n");
    EXPECT_NE(said([](auto &vm) { vm.devices[2].registers.size_bytes = 0x300; }).find("a multiple of 512"),
              std::string::npos);
    EXPECT_NE(said([](auto &vm) {
                  (void)vm.devices.emplace_back(vm.devices[2]);
                  vm.devices[3].name = "other";
                  vm.devices[3].registers.base = Gpa{0x0a00'0400};
                  vm.devices[3].spi = 17;
              }).find("an image of its own for each disk"),
              std::string::npos);
}

TEST(Validate, ADiskOfTheMachineIsOneVmsAndHasNoImage) {
    SystemDescription system;
    for (const char *name : {"a", "b"}) {
        MachineDescription &vm = *system.vms.emplace_back(with_disk());
        vm.name = name;
        vm.devices[2].disk.reset();
        vm.devices[2].machine_disk = name;
        vm.images.erase(vm.images.size() - 1);
    }
    EXPECT_EQ(all(validate(system)), "");
    system.vms[1].devices[2].machine_disk = "a";
    EXPECT_NE(all(validate(system)).find("vm[1].devices.disk.machine = a, expected a disk that no other has"),
              std::string::npos);
    for (const char *name : {"with space", "of more than 20 bytes", "esc\033"}) {
        system.vms[1].devices[2].machine_disk = name;
        EXPECT_NE(all(validate(system)).find("printable characters"), std::string::npos) << name;
    }
    system.vms[1].devices[2].machine_disk = "b";
    system.vms[1].devices[2].disk = 0;
    EXPECT_NE(all(validate(system)).find("no disk of the machine for one that has an image"), std::string::npos);
    system.vms[1].devices[2].disk.reset();
    system.vms[1].devices[1].machine_disk = "c";
    EXPECT_NE(all(validate(system)).find("no disk for a device that is none"), std::string::npos);
}

TEST(Validate, AcceptsFirmwareWithoutAKernel) {
    MachineDescription vm = test::good_vm();
    vm.images.clear();
    (void)vm.images.emplace_back(image(ImageKind::firmware));
    EXPECT_EQ(all(validate(vm, 0)), "");
}

TEST(Validate, ReportsOneMistakeOnceAndNamesIt) {
    using M = MachineDescription;
    const Case cases[] = {
        {"no name", [](M &m) { m.name = ""; }, "vm[2].name", "", "a letter"},
        {"odd name", [](M &m) { m.name = "a/b"; }, "vm[2].name", "a/b", "a letter"},
        {"no vcpus", [](M &m) { m.vcpu_count = 0; }, "vm[2].vcpus", "0", "1 to 128"},
        {"9 vcpus on v2",
         [](M &m) {
             m.vcpu_count = 9;
             m.gic.version = GicVersion::v2;
         },
         "vm[2].vcpus", "9", "1 to 8"},
        {"a budget beyond its period",
         [](M &m) {
             m.budget = {20'000, 10'000};
         },
         "vm[2].budget.budget", "20000", "no more than the period, 10000"},
        {"a budget of nothing",
         [](M &m) {
             m.budget = {0, 10'000};
         },
         "vm[2].budget.budget", "0", "at least 100"},
        {"a long period",
         [](M &m) {
             m.budget = {1000, 1'000'001};
         },
         "vm[2].budget.period", "1000001", "at most 1000000"},
        {"a priority without a budget", [](M &m) { m.priority = 1; }, "vm[2].priority", "1", "0 for a VM without"},
        {"a high priority",
         [](M &m) {
             m.priority = 4;
             m.budget = {1000, 10'000};
         },
         "vm[2].priority", "4", "0 to 3"},
        {"another number of vcpus than the topology has",
         [](M &m) {
             m.vcpu_count = 6;
             m.topology = {1, 2, 2, 1};
         },
         "vm[2].topology", "4", "for 6 vCPUs, not 1 x 2 x 2 x 1"},
        {"a topology whose number wraps in 32 bits",
         [](M &m) {
             m.topology = {0x1'0001, 0x1'0000, 1, 1};
         },
         "vm[2].topology", "4295032832", "for 1 vCPUs"},
        {"a cache of an odd size",
         [](M &m) {
             m.topology = {1, 1, 1, 1};
             m.caches.l2 = 3 * kMiB;
         },
         "vm[2].caches.l2", "3 MiB", "a power of two from 4 KiB to 1 GiB"},
        {"no memory", [](M &m) { m.memory.clear(); }, "vm[2].memory", "none", "at least one"},
        {"too little memory",
         [](M &m) {
             m.memory[0].size_bytes = 512 * kKiB;
             m.images[0].size_bytes = 4096;
         },
         "vm[2].memory[0].size", "512 KiB", "at least 1 MiB"},
        {"empty memory", [](M &m) { m.memory[0].size_bytes = 0; }, "vm[2].memory[0].size", "0 bytes", "at least 1 MiB"},
        {"memory of half a page", [](M &m) { m.memory[0].size_bytes += 2048; }, "vm[2].memory[0].size", "262146 KiB",
         "a multiple of 4 KiB"},
        {"129 vcpus", [](M &m) { m.vcpu_count = 129; }, "vm[2].vcpus", "129", "1 to 128"},
        {"so many vcpus that their redistributors would not fit", [](M &m) { m.vcpu_count = 200; }, "vm[2].vcpus",
         "200", "1 to 128"},
        {"no spis", [](M &m) { m.gic.spi_count = 0; }, "vm[2].gic.spis", "0", "a multiple of 32 from 32 to 960"},
        {"memory base", [](M &m) { m.memory[0].base = Gpa{0x4000'0800}; }, "vm[2].memory[0].base", "0x40000800",
         "a multiple of 0x1000"},
        {"memory wraps", [](M &m) { m.memory[0].size_bytes = ~u64{0xfff}; }, "vm[2].memory[0].size",
         "18014398509481980 KiB", "a range that ends by 0x10000000000, not 18014398509481980 KiB from 0x40000000 on"},
        {"memory too high", [](M &m) { m.memory[0].base = Gpa{kGuestAddressEnd - kMiB}; }, "vm[2].memory[0].size",
         "256 MiB", "not 256 MiB from 0xfffff00000 on"},
        {"memory far too high", [](M &m) { m.memory[0].base = Gpa{kGuestAddressEnd}; }, "vm[2].memory[0].base",
         "0x10000000000", "an address below 0x10000000000"},
        {"memory overlaps",
         [](M &m) {
             (void)m.memory.emplace_back(MemoryRegion{Gpa{0x4fff'f000}, kMiB, RamKind::eager});
         },
         "vm[2].memory[1].base", "0x4ffff000", "no overlap with vm[2].memory[0].base (256 MiB from 0x40000000 on)"},
        {"uart in RAM", [](M &m) { m.devices[0].registers.base = Gpa{0x4000'0000}; }, "vm[2].devices.uart.base",
         "0x40000000", "no overlap with vm[2].memory[0].base"},
        {"uart base", [](M &m) { m.devices[0].registers.base = Gpa{0x0900'0010}; }, "vm[2].devices.uart.base",
         "0x9000010", "a multiple of 0x1000"},
        {"uart size", [](M &m) { m.devices[0].registers.size_bytes = 16; }, "vm[2].devices.uart.size", "16 bytes",
         "a multiple of 4 KiB"},
        {"uart spi", [](M &m) { m.devices[0].spi = 224; }, "vm[2].devices.uart.spi", "224", "less than gic.spis (224)"},
        {"same spi", [](M &m) { m.devices[1].spi = 1; }, "vm[2].devices.rtc.spi", "1",
         "another SPI than vm[2].devices.uart"},
        {"same name", [](M &m) { m.devices[1].name = "uart"; }, "vm[2].devices.uart.name", "uart", "a name of its own"},
        {"spis", [](M &m) { m.gic.spi_count = 100; }, "vm[2].gic.spis", "100", "a multiple of 32 from 32 to 960"},
        {"too many spis", [](M &m) { m.gic.spi_count = 992; }, "vm[2].gic.spis", "992", "to 960"},
        {"v3 distributor on a 4 KiB boundary", [](M &m) { m.gic.distributor.base = Gpa{0x0800'1000}; },
         "vm[2].gic.distributor.base", "0x8001000", "a multiple of 0x10000"},
        {"no redistributor fits",
         [](M &m) {
             m.vcpu_count = 4;
             m.gic.redistributors.size_bytes = 0x1'0000;
         },
         "vm[2].gic.redistributors.size", "64 KiB", "at least 128 KiB for 4 vCPUs"},
        {"the other redistributors do not fit",
         [](M &m) {
             m.vcpu_count = 8;
             m.gic.redistributors.size_bytes = 0x6'0000;
             m.gic.more_redistributors.size_bytes = 0x8'0000;
         },
         "vm[2].gic.more_redistributors.size", "512 KiB", "at least 640 KiB for 8 vCPUs"},
        {"the other redistributors on the first",
         [](M &m) {
             m.vcpu_count = 128;
             m.gic.more_redistributors.base = Gpa{0x0810'0000};
         },
         "vm[2].gic.more_redistributors.base", "0x8100000", "no overlap with"},
        {"gicc too small",
         [](M &m) {
             m.gic.version = GicVersion::v2;
             m.gic.cpu_interface.size_bytes = 0x1000;
         },
         "vm[2].gic.cpu_interface.size", "4 KiB", "at least 8 KiB"},
        {"mbi on v2",
         [](M &m) {
             m.gic.version = GicVersion::v2;
             m.gic.msi.kind = MsiKind::mbi;
         },
         "vm[2].gic.msi", "mbi", "\"none\" or \"v2m\" with a GIC of version 2"},
        {"an its on v2",
         [](M &m) {
             m.gic.version = GicVersion::v2;
             m.gic.msi.kind = MsiKind::its;
         },
         "vm[2].gic.msi", "its", "\"none\" or \"v2m\""},
        {"an its on a 4 KiB boundary",
         [](M &m) {
             m.gic.msi.kind = MsiKind::its;
             m.gic.msi.frame = {Gpa{0x0808'1000}, 0x2'0000};
         },
         "vm[2].gic.msi_frame.base", "0x8081000", "a multiple of 0x10000"},
        {"an its of one frame",
         [](M &m) {
             m.gic.msi.kind = MsiKind::its;
             m.gic.msi.frame = {Gpa{0x0808'0000}, 0x1'0000};
         },
         "vm[2].gic.msi_frame.size", "64 KiB", "at least 128 KiB"},
        {"more message SPIs than there are",
         [](M &m) {
             m.gic.msi.kind = MsiKind::v2m;
             m.gic.spi_count = 96;
         },
         "vm[2].gic.msi_spis", "64", "some, from SPI 48 on, inside gic.spis (96)"},
        {"no message SPIs",
         [](M &m) {
             m.gic.msi.kind = MsiKind::v2m;
             m.gic.msi.spi_count = 0;
         },
         "vm[2].gic.msi_spis", "0", "some, from SPI 48 on"},
        {"message SPIs that wrap",
         [](M &m) {
             m.gic.msi.kind = MsiKind::v2m;
             m.gic.msi.spi_count = ~u32{0};
         },
         "vm[2].gic.msi_spis", "4294967295", "some, from SPI 48 on"},
        {"message SPIs from nowhere",
         [](M &m) {
             m.gic.msi.kind = MsiKind::v2m;
             m.gic.msi.first_spi = 224;
         },
         "vm[2].gic.msi_spis", "64", "some, from SPI 224 on"},
        {"a device with a message's SPI",
         [](M &m) {
             m.gic.msi.kind = MsiKind::mbi;
             m.devices[0].spi = 111;
         },
         "vm[2].devices.uart.spi", "111", "another SPI than those of gic.msi (48 to 111)"},
        {"a v2m frame in the way",
         [](M &m) {
             m.gic.msi.kind = MsiKind::v2m;
             m.gic.msi.frame = {Gpa{0x0900'0000}, 0x1000};
             m.devices.erase(0);
             m.devices[0].registers.base = Gpa{0x0900'0000};
         },
         "vm[2].devices.rtc.base", "0x9000000", "no overlap with vm[2].gic.msi_frame.base"},
        {"ppi of the pmu",
         [](M &m) {
             m.timer.hypervisor = 7;
             m.pmu = PmuPolicy::required;
         },
         "vm[2].timer.hypervisor", "7", "another number than that of the performance monitors"},
        {"timer ppi", [](M &m) { m.timer.physical = 16; }, "vm[2].timer.physical", "16", "0 to 15"},
        {"same ppi", [](M &m) { m.timer.virtual_timer = 14; }, "vm[2].timer.virtual", "14",
         "another number than vm[2].timer.physical"},
        {"no kernel", [](M &m) { m.images.clear(); }, "vm[2].kernel", "none", "a kernel or a firmware"},
        {"empty kernel", [](M &m) { m.images[0].size_bytes = 0; }, "vm[2].kernel", "Image", "not empty"},
        {"large kernel", [](M &m) { m.images[0].size_bytes = 257 * kMiB; }, "vm[2].kernel", "257 MiB",
         "smaller than RAM"},
        {"two kernels", [](M &m) { (void)m.images.emplace_back(image(ImageKind::kernel)); }, "vm[2].kernel", "file",
         "only one kernel"},
        {"initrd with firmware",
         [](M &m) {
             m.images[0].kind = ImageKind::firmware;
             (void)m.images.emplace_back(image(ImageKind::initrd));
         },
         "vm[2].initrd", "given", "only with a kernel"},
        {"kernel with an address", [](M &m) { m.images[0].where = Gpa{0x4008'0000}; }, "vm[2].kernel.base",
         "0x40080000", "no address"},
        {"writable kernel", [](M &m) { m.images[0].writable = true; }, "vm[2].kernel", "writable", "only for rom"},
        {"rom without an address", [](M &m) { (void)m.images.emplace_back(image(ImageKind::rom)); },
         "vm[2].images[0].base", "none", "an address"},
        {"rom in RAM", [](M &m) { (void)m.images.emplace_back(image(ImageKind::rom, Gpa{0x4000'0000})); },
         "vm[2].images[0].base", "0x40000000", "no overlap with vm[2].memory[0].base"},
        {"rom region too small",
         [](M &m) {
             ImageRecord rom = image(ImageKind::rom, Gpa{0}, 5000);
             rom.region_bytes = 4096;
             (void)m.images.emplace_back(rom);
         },
         "vm[2].images[0].size", "4 KiB", "at least the size of the file, 5000 bytes"},
        {"rom wraps", [](M &m) { (void)m.images.emplace_back(image(ImageKind::rom, Gpa{0}, ~u64{0} & ~u64{0xfff})); },
         "vm[2].images[0].size", "18014398509481980 KiB", "ends by"},
        {"raw outside RAM", [](M &m) { (void)m.images.emplace_back(image(ImageKind::raw, Gpa{0x4fff'ffff}, 2)); },
         "vm[2].images[0].base", "0x4fffffff", "a place in RAM for 2 bytes"},
        {"raw wraps", [](M &m) { (void)m.images.emplace_back(image(ImageKind::raw, Gpa{0x4000'0000}, ~u64{0})); },
         "vm[2].images[0].base", "0x40000000", "a place in RAM"},
        {"entry in a device", [](M &m) { m.entry = Gpa{0x0900'0000}; }, "vm[2].entry", "0x9000000", "a multiple of 4"},
        {"odd entry", [](M &m) { m.entry = Gpa{0x4000'0002}; }, "vm[2].entry", "0x40000002", "a multiple of 4"},
        {"two raws at one place",
         [](M &m) {
             (void)m.images.emplace_back(image(ImageKind::raw, Gpa{0x4000'0000}, 2));
             (void)m.images.emplace_back(image(ImageKind::raw, Gpa{0x4000'0002}, 2));
             (void)m.images.emplace_back(image(ImageKind::raw, Gpa{0x4000'0003}, 2));
         },
         "vm[2].images[2].base", "0x40000003", "a place apart from the image at 0x40000002"},
        {"second rom counted",
         [](M &m) {
             (void)m.images.emplace_back(image(ImageKind::rom, Gpa{0}));
             (void)m.images.emplace_back(image(ImageKind::rom, Gpa{0}));
         },
         "vm[2].images[1].base", "0x0", "no overlap with vm[2].images[0].base"},
    };
    for (const Case &c : cases) {
        MachineDescription vm = test::good_vm();
        c.breaks(vm);
        const Problems problems = validate(vm, 2);
        ASSERT_EQ(problems.size(), 1u) << c.what << ": " << all(problems);
        EXPECT_EQ(problems[0].key.view(), c.key) << c.what << ": " << all(problems);
        EXPECT_EQ(problems[0].value.view(), c.value) << c.what;
        EXPECT_NE(problems[0].expected.view().find(c.expected), std::string_view::npos)
            << c.what << ": " << problems[0].expected.view();
    }
}

TEST(Validate, NamesBothOfTwoValuesThatDoNotGoTogether) {
    MachineDescription vm = test::good_vm();
    vm.devices[0].registers.base = Gpa{0x4000'0000};
    vm.devices[1].spi = 1;
    vm.timer.virtual_timer = vm.timer.physical;
    const Problems problems = validate(vm, 2);
    ASSERT_EQ(problems.size(), 3u) << all(problems);
    EXPECT_EQ(problems[0].key.view(), "vm[2].timer.virtual");
    EXPECT_EQ(problems[0].other.view(), "vm[2].timer.physical");
    EXPECT_EQ(problems[0].range.size_bytes, 0u);
    EXPECT_EQ(problems[1].key.view(), "vm[2].devices.uart.base");
    EXPECT_EQ(problems[1].other.view(), "vm[2].memory[0].base");
    EXPECT_EQ(problems[1].range, vm.devices[0].registers);
    EXPECT_EQ(problems[1].other_range, (AddressBlock{Gpa{0x4000'0000}, vm.memory[0].size_bytes}));
    EXPECT_EQ(problems[2].key.view(), "vm[2].devices.rtc.spi");
    EXPECT_EQ(problems[2].other.view(), "vm[2].devices.uart.spi");
}

TEST(Validate, ReportsSystemMistakes) {
    SystemDescription none;
    ASSERT_EQ(validate(none).size(), 1u);
    EXPECT_EQ(validate(none)[0].key.view(), "vm");

    SystemDescription system = test::good_system();
    (void)system.vms.emplace_back(test::good_vm());
    system.time_slice_us = 0;
    system.console.input = "nobody";
    EXPECT_EQ(all(validate(system)), "time_slice_us = 0, expected 100 to 1000000\n"
                                     "vm[1].name = guest, expected a name of its own for each VM\n"
                                     "console.input = nobody, expected the name of a VM\n");
}

TEST(Validate, KeepsAsManyProblemsAsFit) {
    MachineDescription vm = test::good_vm();
    vm.devices.clear();
    for (usize i = 0; i < kMaxDevices; ++i) {
        DeviceRecord device = default_uart();
        device.registers = {Gpa{1}, 1};
        device.spi = 9999;
        (void)vm.devices.emplace_back(device);
    }
    EXPECT_TRUE(validate(vm, 0).full());
}

TEST(Names, AreFoundBothWays) {
    EXPECT_EQ(name_of(ImageKind::raw), "raw");
    EXPECT_EQ(from_name<ImageKind>("firmware"), ImageKind::firmware);
    EXPECT_EQ(from_name<ImageKind>("Firmware"), std::nullopt);
    EXPECT_EQ(name_of(static_cast<LogLevel>(200)), "");
    EXPECT_EQ(from_name<LogLevel>("debug"), LogLevel::debug);
    EXPECT_EQ(from_name<CounterPolicy>("running"), CounterPolicy::running);
}

} // namespace
} // namespace sel4vm::machine
