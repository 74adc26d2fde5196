// SPDX-License-Identifier: BSD-2-Clause
//
// Shared memory in descriptions: the places that are found for it, what is wrong with it, and that it survives a manifest.
#include <sel4vm/machine/manifest.hpp>
#include <sel4vm/machine/shared_places.hpp>
#include <sel4vm/machine/validate.hpp>

#include <support/descriptions.hpp>

#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace sel4vm::machine {
namespace {

SharedRecord side(u32 number, std::string_view name = "ring") {
    return {.name = name, .size_bytes = kMiB, .side = number};
}

SystemDescription two_vms() {
    SystemDescription system;
    for (const u32 number : {0u, 1u}) {
        MachineDescription &vm = *system.vms.emplace_back(test::good_vm(number == 0 ? "one" : "two"));
        (void)vm.shared.emplace_back(side(number));
        place_shared(vm);
    }
    return system;
}

std::string all(const Problems &problems) {
    std::string text;
    for (const Problem &p : problems)
        text += std::string(p.key.view()) + " = " + std::string(p.value.view()) + ", expected " +
                std::string(p.expected.view()) + "\n";
    return text;
}

TEST(SharedPlaces, AreTheFirstFreeOnes) {
    const SystemDescription system = two_vms();
    EXPECT_EQ(all(validate(system)), "");
    for (const MachineDescription &vm : system.vms) {
        EXPECT_EQ(vm.shared[0].base, Gpa{0x8'0000'0000});
        EXPECT_EQ(vm.shared[0].doorbell, Gpa{0x0b00'0000});
        EXPECT_EQ(vm.shared[0].spi, 223u);
    }
}

TEST(SharedPlaces, KeepClearOfEverythingElse) {
    MachineDescription vm = test::good_vm();
    (void)vm.memory.emplace_back(MemoryRegion{Gpa{0x7'f000'0000}, 512 * kMiB, RamKind::eager});
    ImageRecord rom;
    rom.kind = ImageKind::rom;
    rom.where = Gpa{0x8'1000'0000};
    rom.size_bytes = kPageBytes + 1;
    (void)vm.images.emplace_back(rom);
    vm.devices[1].spi = 223;
    vm.devices[1].registers.base = Gpa{0x0b00'0000};
    vm.gic.msi = {.kind = MsiKind::v2m, .first_spi = 128, .spi_count = 95};
    for (const char *name : {"a", "b"})
        (void)vm.shared.emplace_back(side(0, name));
    vm.shared[1].doorbell = Gpa{0x0b00'1000};
    place_shared(vm);
    EXPECT_EQ(all(validate(vm, 0)), "");
    EXPECT_EQ(vm.shared[0].base, Gpa{0x8'1020'0000});
    EXPECT_EQ(vm.shared[1].base, Gpa{0x8'1040'0000});
    EXPECT_EQ(vm.shared[0].doorbell, Gpa{0x0b00'2000});
    EXPECT_EQ(vm.shared[1].doorbell, Gpa{0x0b00'1000}) << "what is given stays";
    EXPECT_EQ(vm.shared[0].spi, 127u);
    EXPECT_EQ(vm.shared[1].spi, 126u);
}

TEST(SharedPlaces, WhatHasNoneIsReported) {
    MachineDescription vm = test::good_vm();
    vm.gic.spi_count = 32;
    (void)vm.shared.emplace_back(side(0));
    for (u32 spi = 0; spi < 14; ++spi)
        (void)vm.devices.emplace_back(
            DeviceRecord{.kind = vm.devices[0].kind, .name = "d", .registers = {}, .spi = spi + 3});
    vm.gic.msi = {.kind = MsiKind::mbi, .first_spi = 17, .spi_count = 15};
    (void)vm.shared.emplace_back(side(0, "large"));
    vm.shared[1].size_bytes = kGuestAddressEnd;
    place_shared(vm);
    EXPECT_FALSE(vm.shared[1].base.has_value());
    EXPECT_EQ(vm.shared[0].spi, 0u);
    EXPECT_FALSE(vm.shared[1].spi.has_value());
    vm.devices = test::good_vm().devices;
    EXPECT_EQ(all(validate(vm, 0)), "vm[0].shared.large.base = none, expected an address: there is no free one\n"
                                    "vm[0].shared.large.spi = none, expected an SPI: there is no free one\n");
}

struct Case {
    const char *what;
    std::function<void(SystemDescription &)> breaks;
    const char *problem; ///< all of it
};

TEST(ValidateShared, ReportsOneMistakeOnceAndNamesIt) {
    using S = SystemDescription;
    const Case cases[] = {
        {"sizes that differ", [](S &s) { s.vms[1].shared[0].size_bytes = 2 * kMiB; },
         "vm[1].shared.ring.size = 2 MiB, expected the size that the other VMs say, 1 MiB\n"},
        {"a size of odd bytes", [](S &s) { s.vms[0].shared[0].size_bytes = s.vms[1].shared[0].size_bytes = 5000; },
         "vm[0].shared.ring.size = 5000 bytes, expected a multiple of 4 KiB\n"
         "vm[1].shared.ring.size = 5000 bytes, expected a multiple of 4 KiB\n"},
        {"no size", [](S &s) { s.vms[0].shared[0].size_bytes = s.vms[1].shared[0].size_bytes = 0; },
         "vm[0].shared.ring.size = 0 bytes, expected a multiple of 4 KiB, not 0\n"
         "vm[1].shared.ring.size = 0 bytes, expected a multiple of 4 KiB, not 0\n"},
        {"an address inside a page", [](S &s) { s.vms[0].shared[0].base = Gpa{0x5000'0800}; },
         "vm[0].shared.ring.base = 0x50000800, expected a multiple of 0x1000\n"},
        {"in the RAM", [](S &s) { s.vms[1].shared[0].base = Gpa{0x4fff'f000}; },
         "vm[1].shared.ring.base = 0x4ffff000, expected no overlap with vm[1].memory[0].base (256 MiB from 0x40000000 "
         "on)\n"},
        {"over a device", [](S &s) { s.vms[1].shared[0].base = Gpa{0x0900'0000}; },
         "vm[1].shared.ring.base = 0x9000000, expected no overlap with vm[1].devices.uart.base (4 KiB from 0x9000000 "
         "on)\n"},
        {"a doorbell over the interrupt controller", [](S &s) { s.vms[0].shared[0].doorbell = Gpa{0x0800'f000}; },
         "vm[0].shared.ring.doorbell = 0x800f000, expected no overlap with vm[0].gic.distributor.base (64 KiB from "
         "0x8000000 on)\n"},
        {"a doorbell in its memory", [](S &s) { s.vms[0].shared[0].doorbell = *s.vms[0].shared[0].base; },
         "vm[0].shared.ring.doorbell = 0x800000000, expected no overlap with vm[0].shared.ring.base (1 MiB from "
         "0x800000000 on)\n"},
        {"beyond what there is", [](S &s) { s.vms[0].shared[0].base = Gpa{kGuestAddressEnd}; },
         "vm[0].shared.ring.base = 0x10000000000, expected an address below 0x10000000000\n"},
        {"a device's interrupt", [](S &s) { s.vms[0].shared[0].spi = 1; },
         "vm[0].shared.ring.spi = 1, expected another SPI than vm[0].devices.uart.spi\n"},
        {"an interrupt that the controller lacks", [](S &s) { s.vms[0].shared[0].spi = 224; },
         "vm[0].shared.ring.spi = 224, expected less than the number of vm[0].gic.spis\n"},
        {"an interrupt for messages",
         [](S &s) {
             s.vms[0].gic.msi.kind = MsiKind::v2m;
             s.vms[0].shared[0].spi = 111;
         },
         "vm[0].shared.ring.spi = 111, expected another SPI than those of vm[0].gic.msi\n"},
        {"an interrupt twice",
         [](S &s) {
             for (MachineDescription &vm : s.vms)
                 (void)vm.shared.emplace_back(side(vm.shared[0].side, "other"));
             place_shared(s.vms[0]);
             place_shared(s.vms[1]);
             s.vms[1].shared[1].spi = 223;
         },
         "vm[1].shared.other.spi = 223, expected another SPI than vm[1].shared.ring.spi\n"},
        {"nobody who may write",
         [](S &s) {
             for (MachineDescription &vm : s.vms)
                 vm.shared[0].access = SharedAccess::read_only;
         },
         "vm[1].shared.ring.access = read_only, expected at least one VM that may write to it\n"},
        {"one VM", [](S &s) { s.vms[1].shared.clear(); },
         "vm[0].shared.ring.sides = ring, expected another VM that shares it\n"},
        {"two VMs at one side", [](S &s) { s.vms[1].shared[0].side = 0; },
         "vm[1].shared.ring.side = 0, expected a number of its own for each VM that shares it\n"},
        {"a side beyond the last", [](S &s) { s.vms[1].shared[0].side = kMaxSharedSides; },
         "vm[1].shared.ring.side = 8, expected less than 8\n"},
        {"an odd name", [](S &s) { s.vms[0].shared[0].name = s.vms[1].shared[0].name = "a.b"; },
         "vm[0].shared.a.b.name = a.b, expected a letter, then up to 30 letters, digits, '-' or '_'\n"
         "vm[1].shared.a.b.name = a.b, expected a letter, then up to 30 letters, digits, '-' or '_'\n"},
        {"a VM twice",
         [](S &s) {
             (void)s.vms[0].shared.emplace_back(side(2));
             place_shared(s.vms[0]);
         },
         "vm[0].shared.ring.name = ring, expected each shared memory at most once in a VM\n"},
    };
    for (const Case &c : cases) {
        SystemDescription system = two_vms();
        c.breaks(system);
        EXPECT_EQ(all(validate(system)), c.problem) << c.what;
    }
}

TEST(SharedManifest, KeepsEveryValue) {
    SystemDescription system = two_vms();
    system.vms[1].shared[0].access = SharedAccess::read_only;
    system.vms[0].shared[0].base = Gpa{0x30'4000'0000};
    (void)system.vms[0].shared.emplace_back(side(5, "open")); // as a program may leave it
    std::vector<u8> buffer(kManifestBufferBytes);
    const auto written = encode_manifest(system, buffer);
    ASSERT_TRUE(written);
    SystemDescription read;
    ASSERT_TRUE(decode_manifest(*written, {}, read));
    for (const usize vm : {0u, 1u}) {
        ASSERT_EQ(read.vms[vm].shared.size(), system.vms[vm].shared.size());
        for (usize i = 0; i < read.vms[vm].shared.size(); ++i)
            EXPECT_EQ(read.vms[vm].shared[i], system.vms[vm].shared[i]);
    }
}

} // namespace
} // namespace sel4vm::machine
