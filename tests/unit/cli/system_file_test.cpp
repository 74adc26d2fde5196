// SPDX-License-Identifier: BSD-2-Clause
//
// The TOML loader: what it makes of a good file, and the exact words it has for bad ones.
#include <apps/sel4vm/system_file.hpp>
#include <apps/sel4vm/system_keys.hpp>
#include <support/parsed_system.hpp>

#include <algorithm>
#include <gtest/gtest.h>
#include <sel4vm/machine/arm/virt_devices.hpp>

namespace sel4vm::cli {
namespace {

TEST(SystemFile, TheSmallestOneGetsTheVirtBoardsDevices) {
    Mistakes mistakes;
    const auto system = parse_system(kSmallest, "some/where/a.toml", mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    ASSERT_EQ(system->description.vms.size(), 1U);
    const auto &vm = system->description.vms[0];
    EXPECT_EQ(vm.name, "vm1");
    EXPECT_EQ(vm.vcpu_count, 1U);
    ASSERT_EQ(vm.memory.size(), 1U);
    EXPECT_EQ(vm.memory[0].size_bytes, 64 * kMiB);
    EXPECT_EQ(vm.memory[0].base, Gpa{0x4000'0000});
    ASSERT_EQ(vm.devices.size(), 2U);
    EXPECT_EQ(vm.devices[0], machine::default_uart());
    EXPECT_EQ(vm.devices[1], machine::default_rtc());
    ASSERT_EQ(system->images.size(), 1U);
    EXPECT_EQ(system->images[0].path, "some/where/Image") << "paths are relative to the file";
}

TEST(SystemFile, EveryKeyArrives) {
    Mistakes mistakes;
    const auto system = parse_system(R"(
[system]
log_level = "debug"
exit = "semihosting"
time_slice_us = 500
[console]
prefix = "always"
input = "two"
escape = "^B"
[qemu]
cpu = "neoverse-n1"
gic = 2
cpus = 4
memory = "3G"
arguments = ["-d", "int"]
[bench]
report_setup = true
report_exits = true
skip_clearing = true

[[vm]]
name = "one"
vcpus = 2
cpus = [3, 0]
cmdline = "quiet"
kernel = "k"
initrd = "/abs/i"
dtb = "d"
on_reset = "stop"
on_panic = "ignore"
entry = 0x40080004
counter = "running"
uart = false
[[vm.memory]]
size = "128M"
kind = "demand"
[[vm.memory]]
size = 65536
address = 0x80000000
[vm.gic]
version = 2
spis = 64
distributor = 0x2f000000
msi = "v2m"
msi_frame = 0x2d000000
msi_first = 40
msi_spis = 8
cpu_interface = { address = 0x2c000000, size = 0x2000 }
[vm.topology]
clusters = 2
l2 = "512K"
[vm.timer]
virtual = 4
physical = 5
[vm.rtc]
address = 0x0a000000
irq = 9
[[vm.device]]
type = "pl011"
name = "log"
address = 0x09040000
irq = 8
trigger = "edge"
console = "none"
[[vm.image]]
path = "in"
address = 0x41000000
[[vm.image]]
path = "out"
address = 0x10000000
read_only = false
size = "1M"

[[vm]]
name = "two"
memory = 1048576
[vm.firmware]
path = "u-boot.bin"
address = 0x1000
size = "2M"
writable = true
)",
                                     "a.toml", mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    const auto &description = system->description;
    EXPECT_EQ(description.log_level, LogLevel::debug);
    EXPECT_EQ(description.exit_method, machine::ExitMethod::semihosting);
    EXPECT_EQ(description.time_slice_us, 500U);
    EXPECT_EQ(description.console.prefix, machine::LinePrefix::always);
    EXPECT_EQ(description.console.input, "two");
    EXPECT_EQ(description.console.escape, 2);
    EXPECT_EQ(description.bench, (machine::BenchOptions{true, true, true}));
    EXPECT_EQ(system->qemu.cpu, "neoverse-n1");
    EXPECT_EQ(system->qemu.gic, 2U);
    EXPECT_EQ(system->qemu.cpus, 4U);
    EXPECT_EQ(system->qemu.memory_bytes, 3 * kGiB);
    EXPECT_EQ(system->qemu.arguments, (Lines{"-d", "int"}));

    ASSERT_EQ(description.vms.size(), 2U);
    const auto &one = description.vms[0];
    EXPECT_EQ(one.name, "one");
    EXPECT_EQ(one.vcpu_count, 2U);
    EXPECT_EQ(one.cpus, 0b1001U);
    EXPECT_EQ(one.cmdline, "quiet");
    EXPECT_EQ(one.on_reset, ResetPolicy::stop);
    EXPECT_EQ(one.on_panic, machine::PanicPolicy::ignore);
    EXPECT_EQ(one.entry, Gpa{0x4008'0004});
    EXPECT_EQ(one.counter, machine::CounterPolicy::running);
    ASSERT_EQ(one.memory.size(), 2U);
    EXPECT_EQ(one.memory[0], (machine::MemoryRegion{Gpa{0x4000'0000}, 128 * kMiB, machine::RamKind::demand}));
    EXPECT_EQ(one.memory[1], (machine::MemoryRegion{Gpa{0x8000'0000}, 65536, machine::RamKind::eager}));
    EXPECT_EQ(one.gic.version, machine::GicVersion::v2);
    EXPECT_EQ(one.gic.spi_count, 64U);
    EXPECT_EQ(one.gic.distributor, (machine::AddressBlock{Gpa{0x2f00'0000}, 0x1'0000}));
    EXPECT_EQ(one.gic.cpu_interface, (machine::AddressBlock{Gpa{0x2c00'0000}, 0x2000}));
    EXPECT_EQ(one.topology, (machine::CpuTopology{1, 2, 1, 1})) << "as many cores as it takes";
    EXPECT_EQ(one.caches.l2, 512 * kKiB);
    EXPECT_EQ(one.gic.msi, (machine::MsiRecord{machine::MsiKind::v2m, {Gpa{0x2d00'0000}, 0x1000}, 40, 8}));
    EXPECT_EQ(one.timer.virtual_timer, 4);
    EXPECT_EQ(one.timer.physical, 5);
    EXPECT_EQ(one.timer.hypervisor, 10);
    ASSERT_EQ(one.devices.size(), 2U) << "no uart";
    EXPECT_EQ(one.devices[0].name, "rtc");
    EXPECT_EQ(one.devices[0].registers.base, Gpa{0x0a00'0000});
    EXPECT_EQ(one.devices[0].spi, 9U);
    EXPECT_EQ(one.devices[1].name, "log");
    EXPECT_EQ(one.devices[1].kind, &dev::kPl011);
    EXPECT_EQ(one.devices[1].trigger, Trigger::edge);
    EXPECT_EQ(one.devices[1].console, machine::ConsoleRoute::none);

    ASSERT_EQ(one.images.size(), 5U);
    EXPECT_EQ(one.images[1].source, "/abs/i");
    EXPECT_EQ(one.images[3].kind, machine::ImageKind::raw) << "inside the memory";
    EXPECT_EQ(one.images[4].kind, machine::ImageKind::rom) << "outside";
    EXPECT_TRUE(one.images[4].writable);
    EXPECT_EQ(one.images[4].region_bytes, kMiB);

    const auto &two = description.vms[1];
    EXPECT_EQ(two.memory[0].size_bytes, kMiB);
    ASSERT_EQ(two.images.size(), 1U);
    EXPECT_EQ(two.images[0].kind, machine::ImageKind::firmware);
    EXPECT_EQ(two.images[0].where, Gpa{0x1000});
    EXPECT_TRUE(two.images[0].writable);
    EXPECT_EQ(two.images[0].region_bytes, 2 * kMiB);
}

TEST(SystemFile, AWrongValueNamesFileLineKeyValueAndWhatWasExpected) {
    EXPECT_EQ(
        mistakes_in("[[vm]]\nkernel = \"Image\"\nmemory = \"x\"\n"),
        (Lines{
            R"(a.toml:3: key 'vm.memory': value "x": expected a size such as "512M" or "1G", or a number of bytes, or tables: [[vm.memory]])"}));
}

TEST(SystemFile, AllMistakesAreReportedInTheOrderOfTheFile) {
    EXPECT_EQ(
        mistakes_in(R"([system]
log_level = "loud"
[[vm]]
memory = true
vcpus = -1
gic = 4
kernel = 5
uart = "yes"
[[vm]]
name = 1.0
memory = [1]
)"),
        (Lines{R"(a.toml:2: key 'system.log_level': value "loud": expected "error", "warning", "info" or "debug")",
               "a.toml:4: key 'vm.memory': value true: expected a size such as \"512M\" or \"1G\", or a number of "
               "bytes, or "
               "tables: [[vm.memory]]",
               "a.toml:5: key 'vm.vcpus': value -1: expected a number from 1 to 128",
               "a.toml:6: key 'vm.gic': value 4: expected a number from 2 to 3, or a table: [vm.gic]",
               "a.toml:7: key 'vm.kernel': value 5: expected the path of a file, relative to this one",
               "a.toml:8: key 'vm.uart': value \"yes\": expected true or false, or a table: [vm.uart]",
               "a.toml:10: key 'vm.name': value 1.0: expected a letter, then letters, digits, '-' and '_', at most 31",
               "a.toml:11: key 'vm.memory': value [...]: expected a size such as \"512M\" or \"1G\", or a number of "
               "bytes, or "
               "tables: [[vm.memory]]"}));
}

TEST(SystemFile, UnknownKeysComeWithTheNearestKnownOne) {
    EXPECT_EQ(mistakes_in(std::string(kSmallest) + "memry = 1\nfavourite_colour = \"green\"\n[consloe]\n"),
              (Lines{"a.toml:4: key 'vm.memry': is unknown; the nearest known key is 'vm.memory'",
                     "a.toml:5: key 'vm.favourite_colour': is unknown",
                     "a.toml:6: key 'consloe': is unknown; the nearest known key is 'console'"}));
}

TEST(SystemFile, AnUnknownKeyWithControlCharactersIsHarmless) {
    EXPECT_EQ(mistakes_in(std::string(kSmallest) + "\"\\u001b[2J\" = 1\n"),
              (Lines{"a.toml:4: key \"\\x1b[2J\": is unknown"}));
}

TEST(SystemFile, WhatIsNotTomlSaysWhere) {
    const auto mistakes = mistakes_in("[[vm]]\nname = \n");
    ASSERT_EQ(mistakes.size(), 1U);
    EXPECT_TRUE(mistakes[0].starts_with("a.toml:2: not TOML: ")) << mistakes[0];
}

TEST(SystemFile, AKeyThatBeginsWrongIsNotTomlEither) {
    // Assertions of toml++ 3.3 that its own input can break.
    for (const std::string_view text : {"[=", "[(a]", "[a.=]", "[\x01"}) {
        const auto mistakes = mistakes_in(text);
        ASSERT_EQ(mistakes.size(), 1U) << text;
        EXPECT_TRUE(mistakes[0].starts_with("a.toml:1: not TOML: ")) << mistakes[0];
    }
}

TEST(SystemFile, NamesAreJudgedWhereTheyStand) {
    const std::string rule = "expected a letter, then letters, digits, '-' and '_', at most 31";
    const std::string longest = "a012345678901234567890123456789";
    for (const std::string &name : {longest + "0", std::string("9a"), std::string("a b")}) {
        EXPECT_EQ(all_mistakes_in(std::string(kSmallest) +
                                  "[[vm.device]]\ntype = \"pl061\"\naddress = 0x09030000\nirq = 7\nname = \"" + name +
                                  "\"\n"),
                  (Lines{"a.toml:8: key 'vm.device.name': value \"" + name + "\": " + rule}));
        EXPECT_EQ(all_mistakes_in(std::string(kSmallest) + "name = \"" + name + "\"\n"),
                  (Lines{"a.toml:4: key 'vm.name': value \"" + name + "\": " + rule}));
    }
    EXPECT_EQ(all_mistakes_in(std::string(kSmallest) + "name = \"" + longest + "\"\n"), Lines{});
}

TEST(SystemFile, MissingThingsAreNamed) {
    EXPECT_EQ(all_mistakes_in("[system]\n"), (Lines{"a.toml:1: key 'vm': missing: expected at least one VM"}));
    EXPECT_EQ(
        all_mistakes_in("[[vm]]\n"),
        (Lines{
            "a.toml:1: key 'vm.memory': missing: expected a size such as \"512M\" or \"1G\", or a number of bytes, or "
            "tables: [[vm.memory]]",
            "a.toml:1: key 'vm.kernel': missing: expected a kernel or a firmware"}));
    EXPECT_EQ(
        all_mistakes_in(std::string(kSmallest) + "[[vm.device]]\n"),
        (Lines{"a.toml:4: key 'vm.device.type': missing: expected " +
                   expectation(*vm_keys().find("device")->table->find("type"), "vm.device.type"),
               "a.toml:4: key 'vm.device.name': missing: expected a letter, then letters, digits, '-' and '_', at "
               "most 31",
               "a.toml:4: key 'vm.device.address': missing: expected an address such as 0x40000000",
               "a.toml:4: key 'vm.device.irq': missing: expected a number from 0 to 959"}));
}

TEST(SystemFile, EachDeviceOfTheMachinesTableCanBeAskedForByItsType) {
    for (const dev::DeviceKind *kind : machine::virt_devices()) {
        if (kind->role == dev::DeviceRole::disk || kind->role == dev::DeviceRole::network)
            continue; // by [[vm.disk]]
        Mistakes mistakes;
        const auto system =
            parse_system(std::string(kSmallest) + "[[vm.device]]\nname = \"d\"\naddress = 0x09040000\n" +
                             "irq = 9\ntype = \"" + std::string(kind->type) + "\"\n",
                         "a.toml", mistakes);
        EXPECT_EQ(mistakes.texts(), Lines{}) << kind->type;
        EXPECT_EQ(system->description.vms[0].devices[2].kind, kind) << kind->type;
    }
}

TEST(SystemFile, WhatTheLibraryFindsIsSaidInTheFilesWords) {
    EXPECT_EQ(
        all_mistakes_in(std::string(kSmallest) + "vcpus = 9\ngic = 2\n[vm.rtc]\naddress = 0x40000000\nirq = 500\n"),
        (Lines{"a.toml:4: key 'vm.vcpus': value 9: expected 1 to 8 with a GIC of version 2",
               "a.toml:7: key 'vm.rtc.address': value 0x40000000: expected no overlap with vm.memory, which has "
               "64 MiB from 0x40000000 on by default",
               "a.toml:8: key 'vm.rtc.irq': value 500: expected less than gic.spis (224)"}));
    EXPECT_EQ(
        all_mistakes_in(
            "[[vm]]\nmemory = \"64M\"\nkernel = \"k\"\nfirmware = \"f\"\nname = \"x\"\n[vm.uart]\naddress = 0x9020000\n"
            "[[vm]]\nmemory = 4097\nkernel = \"k\"\nname = \"x\"\n"),
        (Lines{"a.toml:7: key 'vm.uart.address': value 0x9020000: expected no overlap with vm.fw_cfg, which has 4 "
               "KiB from 0x9020000 on by default",
               "a.toml:9: key 'vm.memory': value 4097: expected at least 1 MiB",
               "a.toml:11: key 'vm.name': value \"x\": expected a name of its own for each VM"}));
}

/// Mistakes in the smallest file with these lines after it.
Lines with(std::string_view lines) { return all_mistakes_in(std::string(kSmallest) + std::string(lines)); }

TEST(SystemFile, LimitsAreThoseOfEachKey) {
    EXPECT_EQ(with("vcpus = \"2\"\n"),
              (Lines{"a.toml:4: key 'vm.vcpus': value \"2\": expected a number from 1 to 128"}));
    EXPECT_EQ(with("vcpus = 0\n"), (Lines{"a.toml:4: key 'vm.vcpus': value 0: expected a number from 1 to 128"}));
    EXPECT_EQ(with("gic = { spis = 0 }\n"),
              (Lines{"a.toml:4: key 'vm.gic.spis': value 0: expected a multiple of 32 from 32 to 960"}));
    EXPECT_EQ(
        with("gic = { msi = \"mbi\", msi_spis = 200 }\n"),
        (Lines{"a.toml:4: key 'vm.gic.msi_spis': value 200: expected some, from SPI 48 on, inside gic.spis (224)"}));
    EXPECT_EQ(with("gic = { msi = \"its2\" }\n").size(), 1U);
    EXPECT_EQ(with("gic = { spis = 33 }\n"),
              (Lines{"a.toml:4: key 'vm.gic.spis': value 33: expected a multiple of 32 from 32 to 960"}));
    EXPECT_EQ(with("uart = { irq = 960 }\n"),
              (Lines{"a.toml:4: key 'vm.uart.irq': value 960: expected a number from 0 to 959"}));
    EXPECT_EQ(with("timer = { physical = 16 }\n"),
              (Lines{"a.toml:4: key 'vm.timer.physical': value 16: expected a number from 0 to 15"}));
    EXPECT_EQ(with("[system]\ntime_slice_us = 99\n"),
              (Lines{"a.toml:5: key 'system.time_slice_us': value 99: expected a number from 100 to 1000000"}));
}

/// A file in which each key of the tables, one at a time, holds what no key takes: a date.
void expect_read(const KeyTable &keys, const std::string &path, const std::string &header) {
    for (const Key &key : keys.keys) {
        const std::string name = path.empty() ? std::string(key.name) : path + "." + std::string(key.name);
        const Lines lines = all_mistakes_in(header + std::string(key.name) + " = 1979-05-27\n");
        EXPECT_NE(std::find_if(lines.begin(), lines.end(),
                               [&](const std::string &line) {
                                   return line.find("key '" + name + "': value (a date or time): expected ") !=
                                          std::string::npos;
                               }),
                  lines.end())
            << name << " is in the table, but nobody reads it";
        if (key.table != nullptr)
            expect_read(*key.table, name,
                        (path == "shared"               ? "[[shared]]\n"
                         : path.empty() || path == "vm" ? header
                                                        : std::string("[[vm]]\n")) +
                            (key.most_tables > 0 ? "[[" + name + "]]\n" : "[" + name + "]\n"));
    }
}

TEST(SystemFile, EveryKeyOfTheTablesIsRead) {
    for (const Key &key : system_file_keys().keys)
        expect_read(*key.table, std::string(key.name),
                    key.most_tables > 0 ? "[[" + std::string(key.name) + "]]\n" : "[" + std::string(key.name) + "]\n");
}

TEST(SystemFile, AWrongValueIsNotMissingToo) {
    for (const std::string value : {"7", "\"\"", "[]"}) {
        const Lines lines = all_mistakes_in("[[vm]]\nmemory = \"64M\"\nkernel = " + value + "\n");
        ASSERT_EQ(lines.size(), 1U) << lines.back();
        EXPECT_NE(lines[0].find("expected the path of a file"), std::string::npos) << lines[0];
    }
    EXPECT_EQ(all_mistakes_in("vm = 5\n"), (Lines{"a.toml:1: key 'vm': value 5: expected tables: [[vm]]"}));
    EXPECT_EQ(all_mistakes_in("[[vm]]\nmemory = []\nkernel = \"k\"\n").size(), 1U);
}

TEST(SystemFile, WhatOnlyFollowsFromAMistakeIsLeftOut) {
    EXPECT_EQ(all_mistakes_in("[[vm]]\nkernel = \"k\"\n[[vm.memory]]\nsize = \"64M\"\n[[vm.memory]]\nsize = \"64M\"\n"),
              (Lines{"a.toml:5: key 'vm.memory.address': missing: expected the address of this part of the memory"}));
    EXPECT_EQ(with("[[vm.device]]\ntype = \"pl031\"\nname = \"clock\"\nirq = 1\naddress = \"here\"\n"),
              (Lines{"a.toml:7: key 'vm.device.irq': value 1: expected another SPI than vm.uart",
                     "a.toml:8: key 'vm.device.address': value \"here\": expected an address such as 0x40000000"}));
    EXPECT_EQ(with("uart = { irq = 2 }\nrtc = { irq = \"x\" }\n"),
              (Lines{"a.toml:5: key 'vm.rtc.irq': value \"x\": expected a number from 0 to 959"}));
    EXPECT_EQ(with("vcpus = 9\ngic = 4\n"),
              (Lines{"a.toml:5: key 'vm.gic': value 4: expected a number from 2 to 3, or a table: [vm.gic]"}));
    EXPECT_EQ(
        with("name = 5\n[console]\ninput = \"mine\"\n"),
        (Lines{"a.toml:4: key 'vm.name': value 5: expected a letter, then letters, digits, '-' and '_', at most 31"}));
    EXPECT_EQ(all_mistakes_in("[[vm]]\nkernel = \"k\"\nmemory = { size = 1 }\n").size(), 1U);
    // A range is told what it overlaps first, and is to be moved then.
    EXPECT_EQ(with("rtc = { address = 0x08000000, size = \"32M\" }\n"),
              (Lines{"a.toml:4: key 'vm.rtc.address': value 0x8000000: expected no overlap with vm.gic.distributor, "
                     "which has 64 KiB from 0x8000000 on by default"}));
}

TEST(SystemFile, OfTwoValuesThatDoNotGoTogetherTheOneThatWasWrittenIsWrong) {
    EXPECT_EQ(with("uart = { irq = 2 }\n"),
              (Lines{"a.toml:4: key 'vm.uart.irq': value 2: expected another SPI than vm.rtc"}));
    EXPECT_EQ(with("timer = { physical = 11 }\n"),
              (Lines{"a.toml:4: key 'vm.timer.physical': value 11: expected another number than vm.timer.virtual"}));
    EXPECT_EQ(with("gic = { redistributors = 0xffffff0000 }\n"),
              (Lines{"a.toml:4: key 'vm.gic.redistributors': value 0xffffff0000: expected a range that ends by "
                     "0x10000000000, not 15744 KiB from 0xffffff0000 on"}));
    EXPECT_EQ(
        with("uart = { size = \"32M\" }\n"),
        (Lines{"a.toml:4: key 'vm.uart.size': value \"32M\": expected no overlap with vm.rtc, which has 4 KiB from "
               "0x9010000 on by default"}));
    EXPECT_EQ(
        with("uart = { address = 0x0a800000 }\nrtc = { address = 0x0a800000 }\n"),
        (Lines{"a.toml:5: key 'vm.rtc.address': value 0xa800000: expected no overlap with vm.uart, which has 4 KiB "
               "from 0xa800000 on"}));
    EXPECT_EQ(all_mistakes_in("[[vm]]\nkernel = \"k\"\nmemory = [{ size = \"1M\", address = 0x08000000 }]\n"),
              (Lines{"a.toml:3: key 'vm.memory.address': value 0x8000000: expected no overlap with vm.gic.distributor, "
                     "which has 64 KiB from 0x8000000 on by default"}));
    EXPECT_EQ(all_mistakes_in("[[vm]]\nkernel = \"k\"\nmemory = \"999999G\"\n"),
              (Lines{"a.toml:3: key 'vm.memory': value \"999999G\": expected a range that ends by 0x10000000000, not "
                     "999999 GiB from 0x40000000 on"}));
}

TEST(SystemFile, AnImageInsideTheMemoryCannotBeReadOnlyOrHaveASizeOfItsOwn) {
    EXPECT_EQ(
        mistakes_in(std::string(kSmallest) +
                    "[[vm.image]]\npath = \"a\"\naddress = 0x40100000\nread_only = true\nsize = \"1M\"\n"),
        (Lines{"a.toml:7: key 'vm.image.read_only': value true: is not possible inside the VM's memory; expected an "
               "address outside",
               "a.toml:8: key 'vm.image.size': value \"1M\": is not possible inside the VM's memory; expected an "
               "address outside"}));
}

TEST(SystemFile, TooManyVmsDevicesAndImagesAreReported) {
    std::string text;
    for (usize i = 0; i <= machine::kMaxVms; ++i)
        text += "[[vm]]\nmemory = \"64M\"\nkernel = \"k\"\n";
    EXPECT_EQ(mistakes_in(text), (Lines{"a.toml:25: key 'vm': expected at most 8 of them"}));

    text = kSmallest;
    for (usize i = 0; i < machine::kMaxDevices; ++i)
        text += "[[vm.device]]\ntype = \"pl031\"\nname = \"d" + std::to_string(i) + "\"\naddress = 0\nirq = 1\n";
    EXPECT_EQ(mistakes_in(text).size(), 2U);

    text = kSmallest;
    for (usize i = 0; i < machine::kMaxImages; ++i)
        text += "[[vm.image]]\npath = \"a\"\naddress = 0\n";
    EXPECT_EQ(mistakes_in(text).size(), 1U);
}

TEST(SystemFile, GuessesThatTextLacksItsQuotes) {
    for (const std::string value : {"vmlinuz", "./Image", "/boot/Image", "false.bin", "Image", "12a", "-x"}) {
        const Lines lines = mistakes_in("[[vm]]\nkernel = " + value + "\n");
        ASSERT_EQ(lines.size(), 1U) << value;
        EXPECT_TRUE(lines[0].ends_with("; is it text without its quotes?")) << lines[0];
    }
    EXPECT_FALSE(mistakes_in("kernel = \"a\\d\"\n")[0].ends_with("?")) << "it has quotes";
}

} // namespace
} // namespace sel4vm::cli
