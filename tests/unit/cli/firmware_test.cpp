// SPDX-License-Identifier: BSD-2-Clause
//
// Firmware and the flash of its variables, in system files and options.
#include <apps/sel4vm/options.hpp>
#include <apps/sel4vm/uefi.hpp>
#include <apps/sel4vm/vm_options.hpp>
#include <support/parsed_system.hpp>

#include <gtest/gtest.h>

namespace sel4vm::cli {
namespace {

RunOptions run_options(std::vector<const char *> words) {
    words.insert(words.begin(), "sel4vm");
    return std::get<RunOptions>(parse_command_line(static_cast<int>(words.size()), words.data()));
}

constexpr std::string_view kFirmware = "[[vm]]\nmemory = \"64M\"\nfirmware = \"f\"\n";

std::unique_ptr<System> parsed(const std::string &text) {
    Mistakes mistakes;
    auto system = parse_system(text, "a.toml", mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    return system;
}

TEST(Firmware, HasAnErasedFlashUnlessItIsTakenAway) {
    EXPECT_EQ(parsed(std::string(kFirmware))->description.vms[0].flash, machine::FlashRecord{});
    EXPECT_EQ(parsed(std::string(kFirmware) + "flash = false\n")->description.vms[0].flash, std::nullopt);
    EXPECT_EQ(parsed(std::string(kSmallest))->description.vms[0].flash, std::nullopt);
    EXPECT_EQ(parsed(std::string(kSmallest) + "flash = true\n")->description.vms[0].flash, machine::FlashRecord{});
}

TEST(Firmware, ATableOfTheFlashSaysWhatAndWhereItIs) {
    const auto system =
        parsed(std::string(kFirmware) + "[vm.flash]\npath = \"vars\"\naddress = 0x10000000\nread_only = true\n");
    const auto &vm = system->description.vms[0];
    EXPECT_EQ(vm.flash, (machine::FlashRecord{Gpa{0x1000'0000}, false, 1}));
    ASSERT_EQ(vm.images.size(), 2U);
    EXPECT_EQ(vm.images[1].kind, machine::ImageKind::flash);
    EXPECT_EQ(vm.images[1].source, "vars");
}

TEST(Firmware, AMistakeInTheFlashNamesItsKey) {
    EXPECT_EQ(mistakes_in(std::string(kFirmware) + "flash = \"vars\"\n").size(), 1U);
    EXPECT_EQ(all_mistakes_in(std::string(kFirmware) + "[vm.flash]\naddress = 0x8000000\n"),
              (Lines{"a.toml:5: key 'vm.flash.address': value 0x8000000: expected no overlap with vm.gic.distributor, "
                     "which has 64 KiB from 0x8000000 on by default"}));
}

TEST(Firmware, TheOptionsGiveAFlashAndItsFile) {
    Mistakes mistakes;
    auto system = system_from_options(run_options({"run", "--firmware", "f"}), mistakes);
    EXPECT_EQ(system->description.vms[0].flash, machine::FlashRecord{});
    system = system_from_options(run_options({"run", "--firmware", "f", "--flash", "vars", "--disk", "d"}), mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    const auto &vm = system->description.vms[0];
    ASSERT_TRUE(vm.flash && vm.flash->image);
    EXPECT_EQ(vm.images[*vm.flash->image].source, "vars");
    EXPECT_EQ(vm.images[*vm.devices[2].disk].source, "d");
}

TEST(Firmware, IsToldOfAKernel) {
    Mistakes mistakes;
    const auto system =
        system_from_options(run_options({"run", "--firmware", "f", "--kernel", "k", "--initrd", "i"}), mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    const auto &vm = system->description.vms[0];
    EXPECT_NE(vm.image(machine::ImageKind::kernel), nullptr);
    EXPECT_NE(vm.image(machine::ImageKind::firmware), nullptr);
    EXPECT_EQ(all_mistakes_in(std::string(kFirmware) + "kernel = \"k\"\ninitrd = \"i\"\n"), Lines{});
}

TEST(Firmware, AnOptionReplacesTheFileOfTheFlash) {
    Mistakes mistakes;
    const auto system = parse_system(std::string(kFirmware) + "[vm.flash]\npath = \"old\"\n[[vm.disk]]\npath = \"d\"\n",
                                     "a.toml", mistakes);
    apply_options(run_options({"run", "a.toml", "--flash", "new", "--firmware", "g"}), *system, mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    const auto &vm = system->description.vms[0];
    ASSERT_TRUE(vm.flash && vm.flash->image);
    EXPECT_EQ(vm.images[*vm.flash->image].source, "new");
    EXPECT_EQ(vm.images[*vm.devices[2].disk].source, "d");
    EXPECT_EQ(vm.images.size(), 3U);
}

TEST(Firmware, TheWordUefiMeansTheOneOfThisMachineOrSaysWhatToInstall) {
    const auto files = find_uefi();
    Mistakes mistakes;
    const auto system = parse_system("[[vm]]\nmemory = \"64M\"\nfirmware = \"uefi\"\n", "a.toml", mistakes);
    Mistakes of_option;
    const auto by_option = system_from_options(run_options({"run", "--firmware", "uefi"}), of_option);
    if (!files) {
        EXPECT_EQ(mistakes.texts(),
                  (Lines{"a.toml:3: key 'vm.firmware': value \"uefi\": expected " + std::string(kUefiWanted)}));
        EXPECT_EQ(of_option.texts(),
                  (Lines{"option '--firmware': value \"uefi\": expected " + std::string(kUefiWanted)}));
        return;
    }
    for (const System *of : {system.get(), by_option.get()}) {
        const auto &vm = of->description.vms[0];
        ASSERT_EQ(vm.images.size(), 2U);
        EXPECT_EQ(vm.images[0].source, files->code.string());
        ASSERT_TRUE(vm.flash && vm.flash->image);
        EXPECT_EQ(vm.images[*vm.flash->image].source, files->variables.string());
    }
}

TEST(Firmware, IsNotMissedWhenItIsInDoubt) {
    EXPECT_EQ(all_mistakes_in("[[vm]]\nmemory = \"64M\"\nfirmware = 3\n"),
              (Lines{"a.toml:3: key 'vm.firmware': value 3: expected the path of a file, relative to this one, or a "
                     "table: [vm.firmware]"}));
}

} // namespace
} // namespace sel4vm::cli
