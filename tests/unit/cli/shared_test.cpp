// SPDX-License-Identifier: BSD-2-Clause
//
// [[shared]] tables of a system file: what they become, and what is said about wrong ones.
#include <apps/sel4vm/machine_memory.hpp>
#include <apps/sel4vm/system_file.hpp>

#include <gtest/gtest.h>
#include <sel4vm/machine/shared_places.hpp>

namespace sel4vm::cli {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kVms = "[[vm]]\nname = \"one\"\nmemory = \"64M\"\nkernel = \"Image\"\n"
                                  "[[vm]]\nname = \"two\"\nmemory = \"64M\"\nkernel = \"Image\"\n";

/// As if every image had been read. The first line of `shared` is line 9.
std::unique_ptr<System> system_of(std::string_view shared, Mistakes &mistakes) {
    auto system = parse_system(std::string(kVms) + std::string(shared), "a.toml", mistakes);
    for (auto &vm : system->description.vms) {
        for (auto &image : vm.images)
            image.size_bytes = 1;
        machine::place_shared(vm);
    }
    validate_description(*system, mistakes);
    return system;
}

Lines mistakes_in(std::string_view shared) {
    Mistakes mistakes;
    static_cast<void>(system_of(shared, mistakes));
    return mistakes.texts();
}

TEST(SharedTables, BecomeASideOfEachVm) {
    Mistakes mistakes;
    const auto system =
        system_of("[[shared]]\nname = \"ring\"\nsize = \"1M\"\n"
                  "[[shared.side]]\nvm = \"two\"\naddress = 0x50000000\ndoorbell = 0x0b100000\nirq = 40\n"
                  "[[shared.side]]\nvm = \"one\"\naccess = \"read_only\"\n",
                  mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    const auto &vms = system->description.vms;
    ASSERT_EQ(vms[0].shared.size(), 1U);
    ASSERT_EQ(vms[1].shared.size(), 1U);
    EXPECT_EQ(vms[1].shared[0], (machine::SharedRecord{.name = "ring",
                                                       .size_bytes = kMiB,
                                                       .side = 0,
                                                       .base = Gpa{0x5000'0000},
                                                       .doorbell = Gpa{0x0b10'0000},
                                                       .spi = 40}));
    EXPECT_EQ(vms[0].shared[0], (machine::SharedRecord{.name = "ring",
                                                       .size_bytes = kMiB,
                                                       .side = 1,
                                                       .access = machine::SharedAccess::read_only,
                                                       .base = machine::kSharedMemoryFrom,
                                                       .doorbell = machine::kDoorbellsFrom,
                                                       .spi = 223}));
}

TEST(SharedTables, MayBeWrittenInOneLine) {
    Mistakes mistakes;
    const auto system = system_of(
        "[[shared]]\nname = \"ring\"\nsize = \"1M\"\nside = [{ vm = \"one\" }, { vm = \"two\" }]\n", mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    EXPECT_EQ(system->description.vms[1].shared.size(), 1U);
}

TEST(SharedTables, CountOnceForTheMachinesMemory) {
    Mistakes mistakes;
    const auto without = system_of("", mistakes);
    const auto with = system_of(
        "[[shared]]\nname = \"ring\"\nsize = \"1G\"\nside = [{ vm = \"one\" }, { vm = \"two\" }]\n", mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    EXPECT_EQ(machine_memory_bytes(*with, 0), machine_memory_bytes(*without, 0) + kGiB);
}

struct Case {
    const char *shared;
    Lines said;
};

TEST(SharedTables, WhatIsWrongIsSaidInOneSentenceWithItsPlace) {
    const Case cases[] = {
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\nside = [{ vm = \"one\" }, { vm = \"tow\" }]\n",
         {"a.toml:12: key 'shared.side.vm': value \"tow\": expected the name of a VM"}},
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\n[[shared.side]]\nvm = \"one\"\n[[shared.side]]\nvm = \"one\"\n",
         {"a.toml:15: key 'shared.side.vm': value \"one\": expected each VM once: it has a side by line 13"}},
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\nside = [{ vm = \"one\" }]\n",
         {"a.toml:12: key 'shared.side.vm': value \"one\": expected at least two VMs that share it"}},
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\n",
         {"a.toml:9: key 'shared.side': missing: expected at least two VMs that share it"}},
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\nside = []\n",
         {"a.toml:12: key 'shared.side': value [...]: expected tables: [[shared.side]]"}},
        {"[[shared]]\nname = \"ring\"\nside = [{ vm = \"one\" }, { vm = \"two\" }]\n",
         {"a.toml:9: key 'shared.size': missing: expected a size such as \"512M\" or \"1G\", or a number of bytes"}},
        {"[[shared]]\nsize = \"1M\"\nside = [{ vm = \"one\" }, { vm = \"two\" }]\n",
         {"a.toml:9: key 'shared.name': missing: expected a letter, then letters, digits, '-' and '_', at most 31"}},
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\nside = [{ vm = \"one\" }, { vm = \"two\" }]\n"
         "[[shared]]\nname = \"ring\"\nsize = \"2M\"\nside = [{ vm = \"one\" }, { vm = \"two\" }]\n",
         {"a.toml:14: key 'shared.name': value \"ring\": expected a name of its own for each shared memory: one has "
          "it, by "
          "line 10"}},
        {"[[shared]]\nname = \"ring\"\nsize = 5000\nside = [{ vm = \"one\" }, { vm = \"two\" }]\n",
         {"a.toml:11: key 'shared.size': value 5000: expected a multiple of 4 KiB"}},
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\n[[shared.side]]\nvm = \"one\"\naddress = 0x40000000\n"
         "[[shared.side]]\nvm = \"two\"\naddress = 0x09000000\n",
         {"a.toml:14: key 'shared.side.address': value 0x40000000: expected no overlap with vm.memory, which has 64 "
          "MiB "
          "from 0x40000000 on by default",
          "a.toml:17: key 'shared.side.address': value 0x9000000: expected no overlap with vm.uart, which has 4 KiB "
          "from "
          "0x9000000 on by default"}},
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\n[[shared.side]]\nvm = \"one\"\ndoorbell = 0x40000000\n"
         "[[shared.side]]\nvm = \"two\"\naddress = 0x50000000\ndoorbell = 0x50000000\n",
         {"a.toml:14: key 'shared.side.doorbell': value 0x40000000: expected no overlap with vm.memory, which has 64 "
          "MiB "
          "from 0x40000000 on by default",
          "a.toml:18: key 'shared.side.doorbell': value 0x50000000: expected no overlap with vm.shared.ring, which has "
          "1 MiB "
          "from 0x50000000 on"}},
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\n[[shared.side]]\nvm = \"one\"\nirq = 1\n"
         "[[shared.side]]\nvm = \"two\"\nirq = 224\n",
         {"a.toml:14: key 'shared.side.irq': value 1: expected another SPI than vm.uart.irq",
          "a.toml:17: key 'shared.side.irq': value 224: expected less than the number of vm.gic.spis"}},
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\n[[shared.side]]\nvm = \"one\"\naccess = \"read_only\"\n"
         "[[shared.side]]\nvm = \"two\"\naccess = \"read_only\"\n",
         {"a.toml:17: key 'shared.side.access': value \"read_only\": expected at least one VM that may write to it"}},
        {"[[shared]]\nname = \"ring\"\nsize = \"1M\"\n[[shared.side]]\nvm = \"one\"\naccess = \"none\"\n"
         "[[shared.side]]\nvm = \"two\"\n",
         {"a.toml:14: key 'shared.side.access': value \"none\": expected \"read_write\" or \"read_only\""}},
    };
    for (const Case &c : cases)
        EXPECT_EQ(mistakes_in(c.shared), c.said) << c.shared;
}

} // namespace
} // namespace sel4vm::cli
