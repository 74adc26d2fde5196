// SPDX-License-Identifier: BSD-2-Clause
//
// On which CPUs a system's VMs run, and how many the machine has.
#include <apps/sel4vm/machine_cpus.hpp>
#include <apps/sel4vm/system_file.hpp>

#include <gtest/gtest.h>

namespace sel4vm::cli {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kSmallest = "[[vm]]\nmemory = \"64M\"\nkernel = \"Image\"\n";

/// With the library's own check, as if every image had been read.
Lines all_mistakes_with(const std::string &lines) {
    Mistakes mistakes;
    const auto system = parse_system(std::string(kSmallest) + lines, "a.toml", mistakes);
    system->description.vms[0].images[0].size_bytes = 1;
    validate_description(*system, mistakes);
    return mistakes.texts();
}

Lines mistakes_with(const std::string &line) {
    Mistakes mistakes;
    static_cast<void>(parse_system(std::string(kSmallest) + line, "a.toml", mistakes));
    return mistakes.texts();
}

TEST(MachineCpus, CpusAreAListWithoutRepetition) {
    for (const char *wrong : {"[]", "3", "[1, 1]", "[64]", "[-1]", "[\"1\"]", "[0.5]"}) {
        const Lines lines = mistakes_with("cpus = " + std::string(wrong) + "\n");
        ASSERT_EQ(lines.size(), 1U) << wrong;
        EXPECT_TRUE(lines[0].starts_with("a.toml:4: key 'vm.cpus': value ")) << lines[0];
        EXPECT_TRUE(
            lines[0].ends_with(": expected a list of CPU numbers from 0 to 63, none of them twice, such as [0, 2]"))
            << lines[0];
    }
    EXPECT_EQ(mistakes_with("cpus = [63]\n"), Lines{});
}

Lines mistakes_about_cpus(std::string_view qemu) {
    Mistakes mistakes;
    const auto system =
        parse_system(std::string(kSmallest) + "cpus = [0, 2]\n" + std::string(qemu), "a.toml", mistakes);
    judge_machine_cpus(*system, mistakes);
    return mistakes.texts();
}

TEST(MachineCpus, TheMachineHasTheCpusThatVmsName) {
    Mistakes mistakes;
    EXPECT_EQ(machine_cpus(*parse_system(kSmallest, "a.toml", mistakes)), 1U);
    EXPECT_EQ(machine_cpus(*parse_system(std::string(kSmallest) + "cpus = [0, 2]\n", "a.toml", mistakes)), 3U);
    EXPECT_EQ(mistakes_about_cpus(""), Lines{});
    EXPECT_EQ(mistakes_about_cpus("[qemu]\ncpus = 3\n"), Lines{});
    EXPECT_EQ(
        mistakes_about_cpus("[qemu]\ncpus = 2\n"),
        (Lines{"a.toml:4: key 'vm.cpus': value [...]: expected CPUs that the machine has: it has 2 by line 6, key "
               "'qemu.cpus'"}));
    EXPECT_EQ(mistakes_about_cpus("[qemu]\ncpus = 9\n"),
              (Lines{"a.toml:6: key 'qemu.cpus': value 9: expected a number from 1 to 8"}));
}

TEST(MachineCpus, AMachineWithAGicV2HasEight) {
    EXPECT_EQ(all_mistakes_with("gic = 2\ncpus = [0, 7]\n"), Lines{});
    EXPECT_EQ(all_mistakes_with("cpus = [0, 8]\n"), Lines{});
    EXPECT_EQ(all_mistakes_with("gic = 2\ncpus = [0, 8]\n"),
              (Lines{"a.toml:5: key 'vm.cpus': value [...]: expected CPUs from 0 to 7: a machine with a GIC of version "
                     "2 has no others"}));
}

TEST(MachineCpus, ATopologyHasAsManyCpusAsTheVm) {
    EXPECT_EQ(
        all_mistakes_with("vcpus = 6\ntopology = { clusters = 4 }\n"),
        (Lines{"a.toml:5: key 'vm.topology': value {...}: expected sockets, clusters, cores and threads for 6 vCPUs, "
               "not 1 x 4 x 1 x 1"}));
    EXPECT_EQ(all_mistakes_with("topology = { l2 = 5000 }\n"),
              (Lines{"a.toml:4: key 'vm.topology.l2': value 5000: expected a power of two from 4 KiB to 1 GiB"}));
    EXPECT_EQ(all_mistakes_with("topology = { threads = 129 }\n"),
              (Lines{"a.toml:4: key 'vm.topology.threads': value 129: expected a number from 1 to 128"}));
}

} // namespace
} // namespace sel4vm::cli
