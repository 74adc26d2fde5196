// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/system_file.hpp>
#include <apps/sel4vm/vm_options.hpp>

#include <gtest/gtest.h>

namespace sel4vm::cli {
namespace {

using Lines = std::vector<std::string>;

Command parse(std::vector<const char *> words) {
    words.insert(words.begin(), "sel4vm");
    return parse_command_line(static_cast<int>(words.size()), words.data());
}

std::string refusal(const std::vector<const char *> &words) {
    try {
        static_cast<void>(parse(words));
    } catch (const Failure &failure) {
        EXPECT_EQ(failure.status(), ExitStatus::bad_input);
        return failure.what();
    }
    return "accepted";
}

RunOptions run_options(const std::vector<const char *> &words) { return std::get<RunOptions>(parse(words)); }

TEST(CommandLine, EveryOptionOfRunArrives) {
    const auto options = run_options({"run",
                                      "--kernel",
                                      "k",
                                      "--initrd=i",
                                      "--cmdline",
                                      "a b",
                                      "--memory",
                                      "1G",
                                      "--vcpus",
                                      "2",
                                      "--gic",
                                      "3",
                                      "--cpu",
                                      "max",
                                      "--dtb",
                                      "d",
                                      "--icount",
                                      "--timeout",
                                      "5",
                                      "--qemu-arg",
                                      "-d",
                                      "--qemu-arg",
                                      "int",
                                      "--no-hypervisor",
                                      "--host-image",
                                      "h",
                                      "--log-level",
                                      "debug",
                                      "-v"});
    EXPECT_EQ(options.vm.kernel, "k");
    EXPECT_EQ(options.vm.initrd, "i");
    EXPECT_EQ(options.vm.cmdline, "a b");
    EXPECT_EQ(options.vm.memory, "1G");
    EXPECT_EQ(options.vm.vcpus, "2");
    EXPECT_EQ(options.vm.gic, "3");
    EXPECT_EQ(options.vm.dtb, "d");
    EXPECT_EQ(options.cpu, "max");
    EXPECT_EQ(options.timeout, "5");
    EXPECT_EQ(options.qemu_arguments, (Lines{"-d", "int"}));
    EXPECT_EQ(options.host_image, "h");
    EXPECT_EQ(options.log_level, "debug");
    EXPECT_TRUE(options.icount && options.no_hypervisor && options.verbose);
    EXPECT_EQ(options.file, std::nullopt);
}

TEST(CommandLine, TheLastOfSeveralValuesCounts) {
    const auto options = run_options({"run", "a", "--memory", "1G", "--timeout", "5", "--memory=2G"});
    EXPECT_EQ(options.vm.memory, "2G");
    EXPECT_EQ(options.file, "a");
}

TEST(CommandLine, NothingAfterTheEqualsSignIsAnEmptyValue) {
    const auto options = run_options({"run", "a", "--cmdline=", "--no-hypervisor", "--memory=", "--qemu-arg="});
    EXPECT_EQ(options.vm.cmdline, "");
    EXPECT_EQ(options.vm.memory, "");
    EXPECT_EQ(options.qemu_arguments, (Lines{""}));
    EXPECT_TRUE(options.no_hypervisor);
    EXPECT_EQ(options.file, "a");
    EXPECT_NE(refusal({"run", "--nothing="}).find("option '--nothing' is unknown"), std::string::npos);
}

TEST(CommandLine, MistakesAreOneSentenceWithTheNearestName) {
    EXPECT_EQ(refusal({}),
              "a command is required: check, build, run, inspect, schema or completion; try 'sel4vm --help'");
    EXPECT_EQ(refusal({"rnu"}), "command 'rnu' is unknown; the nearest known one is 'run'; try 'sel4vm --help'");
    EXPECT_EQ(refusal({"run", "--memry", "5"}),
              "option '--memry' is unknown; the nearest known one is '--memory'; try 'sel4vm run --help'");
    EXPECT_EQ(refusal({"run", "--memory"}), "option '--memory' needs one value; try 'sel4vm run --help'");
    EXPECT_EQ(refusal({"run", "a", "b"}), "argument 'b' is unknown; try 'sel4vm run --help'");
    EXPECT_EQ(refusal({"check"}), "FILE is required; try 'sel4vm check --help'");
    EXPECT_EQ(refusal({"build", "a"}), "--output is required; try 'sel4vm build --help'");
}

TEST(CommandLine, HelpAndVersionArePrinted) {
    EXPECT_NE(std::get<Printed>(parse({"--help"})).text.find("inspect"), std::string::npos);
    EXPECT_NE(std::get<Printed>(parse({"run", "--help"})).text.find("--no-hypervisor"), std::string::npos);
    EXPECT_TRUE(std::get<Printed>(parse({"--version"})).text.starts_with("sel4vm "));
}

TEST(CommandLine, CompletionNamesEveryCommandAndOptionInEachShell) {
    for (const char *shell : {"bash", "zsh", "fish"}) {
        const std::string script = std::get<Printed>(parse({"completion", shell})).text;
        for (const char *word : {"check", "build", "inspect", "schema", "no-hypervisor", "qemu-arg", "output",
                                 "notices", "cortex-a72", "restart", "warning"})
            EXPECT_NE(script.find(word), std::string::npos) << shell << " " << word;
    }
    EXPECT_EQ(refusal({"completion", "csh"}), "there is no completion for \"csh\": expected bash, zsh or fish");
}

TEST(VmOptions, DescribeOneVmWithoutAFile) {
    Mistakes mistakes;
    const auto system = system_from_options(
        run_options({"run", "--kernel", "k", "--gic", "2", "--msi", "v2m", "--memory", "64M", "--cmdline", "c"}),
        mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    ASSERT_EQ(system->description.vms.size(), 1U);
    const auto &vm = system->description.vms[0];
    EXPECT_EQ(vm.memory[0].size_bytes, 64 * kMiB);
    EXPECT_EQ(vm.gic.version, machine::GicVersion::v2);
    EXPECT_EQ(vm.gic.msi.kind, machine::MsiKind::v2m);
    EXPECT_EQ(vm.cmdline, "c");
    EXPECT_EQ(vm.devices.size(), 2U);
    ASSERT_EQ(system->images.size(), 1U);
    EXPECT_EQ(system->images[0].path, "k");
}

TEST(VmOptions, ChangeTheOnlyVmOfAFile) {
    Mistakes mistakes;
    const auto system = parse_system(
        "[[vm]]\nmemory = \"64M\"\nfirmware = \"f\"\n[[vm.image]]\npath = \"x\"\naddress = 0\n", "a.toml", mistakes);
    apply_options(run_options({"run", "a.toml", "--kernel", "k", "--initrd", "i", "--memory", "1G"}), *system,
                  mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    const auto &vm = system->description.vms[0];
    EXPECT_EQ(vm.memory[0].size_bytes, kGiB);
    EXPECT_EQ(vm.image(machine::ImageKind::firmware), nullptr) << "a kernel instead of it";
    ASSERT_EQ(vm.images.size(), 3U);
    ASSERT_EQ(system->images.size(), 3U);
    for (const ImageSource &source : system->images)
        EXPECT_EQ(vm.images[source.image].source, source.path.string());
}

TEST(VmOptions, LeaveDisksTheirFiles) {
    Mistakes mistakes;
    const auto system = parse_system("[[vm]]\nmemory = \"64M\"\nkernel = \"f\"\ninitrd = \"g\"\n[[vm.disk]]\npath = "
                                     "\"x\"\n[[vm.disk]]\npath = \"y\"\n",
                                     "a.toml", mistakes);
    apply_options(run_options({"run", "a.toml", "--kernel", "k", "--initrd", "i"}), *system, mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    const auto &vm = system->description.vms[0];
    ASSERT_EQ(vm.devices.size(), 4U);
    EXPECT_EQ(vm.images[*vm.devices[2].disk].source, "x");
    EXPECT_EQ(vm.images[*vm.devices[3].disk].source, "y");
}

TEST(VmOptions, AddDisks) {
    Mistakes mistakes;
    const auto system =
        parse_system("[[vm]]\nmemory = \"64M\"\nkernel = \"f\"\n[[vm.disk]]\npath = \"x\"\n", "a.toml", mistakes);
    apply_options(run_options({"run", "a.toml", "--disk", "y,ro", "--disk", "z,a"}), *system, mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    const auto &vm = system->description.vms[0];
    ASSERT_EQ(vm.devices.size(), 5U);
    EXPECT_EQ(vm.devices[3].name, "disk2");
    EXPECT_EQ(vm.devices[3].spi, 17U);
    EXPECT_EQ(vm.images[*vm.devices[3].disk].source, "y");
    EXPECT_FALSE(vm.images[*vm.devices[3].disk].writable);
    EXPECT_EQ(vm.images[*vm.devices[4].disk].source, "z,a");
    EXPECT_TRUE(vm.images[*vm.devices[4].disk].writable);
}

TEST(VmOptions, ADiskHasAFileAndAVmOfItsOwn) {
    Mistakes mistakes;
    const auto system = parse_system("[[vm]]\nmemory = \"64M\"\nkernel = \"f\"\n", "a.toml", mistakes);
    apply_options(run_options({"run", "a.toml", "--disk", ",ro"}), *system, mistakes);
    EXPECT_EQ(mistakes.texts(), (Lines{"option '--disk': value \",ro\": expected the path of a file"}));
    Mistakes more;
    const auto several = parse_system(
        "[[vm]]\nmemory = \"64M\"\nkernel = \"k\"\n[[vm]]\nmemory = \"64M\"\nkernel = \"k\"\n", "a.toml", more);
    apply_options(run_options({"run", "a.toml", "--disk", "d"}), *several, more);
    EXPECT_EQ(more.texts(), (Lines{"option '--disk': value \"d\": expected a file with one VM; with several it is not "
                                   "clear which is meant"}));
}

TEST(VmOptions, AreNotForOneOfSeveralVms) {
    Mistakes mistakes;
    const auto system = parse_system(
        "[[vm]]\nmemory = \"64M\"\nkernel = \"k\"\n[[vm]]\nmemory = \"64M\"\nkernel = \"k\"\n", "a.toml", mistakes);
    apply_options(run_options({"run", "a.toml", "--memory", "1G"}), *system, mistakes);
    EXPECT_EQ(mistakes.texts(),
              (Lines{"option '--memory': value \"1G\": expected a file with one VM; with several it is not "
                     "clear which is meant"}));
}

TEST(VmOptions, BadValuesAreReportedAllAtOnce) {
    Mistakes mistakes;
    const auto options = run_options({"run", "--kernel", "", "--memory", "x", "--vcpus", "y", "--gic", "4", "--msi",
                                      "5", "--cpu", "cortex-a15", "--cpus", "0", "--timeout", "0", "--log-level", "z"});
    static_cast<void>(time_limit(options, mistakes));
    static_cast<void>(system_from_options(options, mistakes));
    EXPECT_EQ(
        mistakes.texts(),
        (Lines{
            "option '--timeout': value \"0\": expected a number of seconds, more than 0 and at most 100000000",
            "option '--cpu': value \"cortex-a15\": expected the name of an AArch64 CPU of QEMU, such as \"cortex-a72\"",
            "option '--cpus': value \"0\": expected a number from 1 to 8",
            "option '--log-level': value \"z\": expected error, warning, info or debug",
            "option '--kernel': value \"\": expected the path of a file",
            "option '--memory': value \"x\": expected a size such as 512M or 1G",
            "option '--vcpus': value \"y\": expected a number from 1 to 128",
            "option '--gic': value \"4\": expected 2 or 3",
            "option '--msi': value \"5\": expected none, v2m, mbi or its"}));
}

TEST(VmOptions, TheTimeLimitTakesPartsOfASecond) {
    Mistakes mistakes;
    EXPECT_GE(time_limit(run_options({"run", "--timeout", "1.5"}), mistakes), std::chrono::milliseconds(1500));
    EXPECT_EQ(mistakes.texts(), Lines{});
    for (const char *bad : {"-1", "nan", "inf", "1s", "", "1e300"}) {
        EXPECT_EQ(time_limit(run_options({"run", "--timeout", bad}), mistakes), std::nullopt) << bad;
    }
}

} // namespace
} // namespace sel4vm::cli
