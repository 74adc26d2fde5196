// SPDX-License-Identifier: BSD-2-Clause
//
// Devices and memory of the machine that VMs are given, as a system file says it.
#include <apps/sel4vm/machine_memory.hpp>
#include <apps/sel4vm/system_file.hpp>

#include <gtest/gtest.h>

namespace sel4vm::cli {
namespace {

using Lines = std::vector<std::string>;

constexpr const char *kVm =
    "[[vm]]\nkernel = \"k\"\nmemory = [{ size = \"64M\", address = 0x80000000, one_to_one = true }]\n";

struct Read {
    std::unique_ptr<System> system;
    Lines mistakes;
    Lines warnings;
};

/// With the library's own check, as if every image had been read.
Read read(const std::string &text) {
    Mistakes mistakes;
    Read result{parse_system(text, "a.toml", mistakes), {}, {}};
    for (auto &vm : result.system->description.vms)
        for (auto &image : vm.images)
            image.size_bytes = 1;
    validate_description(*result.system, mistakes);
    result.mistakes = mistakes.texts();
    result.warnings = mistakes.take_warnings();
    return result;
}

std::string given(const std::string &node) { return "[[vm.passthrough]]\nnode = \"" + node + "\"\n"; }

TEST(Passthrough, ArrivesWithAWarningOfDmaForEachVm) {
    const Read one = read(kVm + given("/virtio_mmio@a003e00") + given("/soc/rng@1000"));
    EXPECT_EQ(one.mistakes, Lines{});
    const auto &vm = one.system->description.vms[0];
    ASSERT_EQ(vm.passthrough.size(), 2U);
    EXPECT_EQ(vm.passthrough[0].node, "/virtio_mmio@a003e00");
    EXPECT_EQ(vm.passthrough[1].node, "/soc/rng@1000");
    EXPECT_TRUE(vm.memory[0].one_to_one);
    ASSERT_EQ(one.warnings.size(), 1U);
    EXPECT_EQ(one.warnings[0],
              "a.toml:5: key 'vm.passthrough.node': value \"/virtio_mmio@a003e00\": if this device does "
              "DMA, its VM can read and write all memory of the machine: no IOMMU holds it back");

    const Read elsewhere = read("[[vm]]\nkernel = \"k\"\nmemory = \"64M\"\n" + given("/a"));
    ASSERT_EQ(elsewhere.warnings.size(), 1U);
    EXPECT_TRUE(elsewhere.warnings[0].ends_with("since none of the VM's memory has one_to_one = true"));
}

TEST(Passthrough, OneDeviceForTwoIsToldWithBothPlaces) {
    EXPECT_EQ(
        read(kVm + given("/a@1") + "[[vm]]\nmemory = \"64M\"\nkernel = \"k\"\n" + given("/a@1")).mistakes,
        (Lines{"a.toml:10: key 'vm.passthrough.node': value \"/a@1\": expected a device that nothing else is given: "
               "VM 'vm1' has it, by line 5"}));
    EXPECT_EQ(
        read(kVm + given("/a@1") + given("/a@1")).mistakes,
        (Lines{"a.toml:7: key 'vm.passthrough.node': value \"/a@1\": expected a device that nothing else is given: "
               "VM 'vm1' has it, by line 5"}));
}

TEST(Passthrough, ANodeIsAnAbsolutePath) {
    for (const char *wrong : {"a", "/", "/a/", "/a//b", "/a b", "/\\u0007"})
        EXPECT_EQ(read(kVm + given(wrong)).mistakes.size(), 1U) << wrong;
    EXPECT_EQ(
        read(kVm + given("virtio_mmio@a003e00")).mistakes,
        (Lines{"a.toml:5: key 'vm.passthrough.node': value \"virtio_mmio@a003e00\": expected the path of a device in "
               "the host's device tree, such as /virtio_mmio@a003e00"}));
    EXPECT_EQ(read(std::string(kVm) + "[[vm.passthrough]]\n").mistakes.size(), 1U);
}

TEST(Passthrough, MemoryOneToOneIsThereAtOnceAndNobodyElses) {
    EXPECT_EQ(
        read("[[vm]]\nkernel = \"k\"\n[[vm.memory]]\nsize = \"64M\"\nkind = \"demand\"\none_to_one = true\n").mistakes,
        (Lines{"a.toml:6: key 'vm.memory.one_to_one': value true: expected memory of kind eager: a device cannot wait "
               "for a first touch"}));
    const std::string second =
        "[[vm]]\nkernel = \"k\"\nmemory = [{ size = \"64M\", address = 0x82000000, one_to_one = true }]\n";
    EXPECT_EQ(
        read(kVm + second).mistakes,
        (Lines{
            "a.toml:6: key 'vm.memory.address': value 0x82000000: expected no overlap with vm.memory, which has 64 MiB "
            "from 0x80000000 on"}));
}

TEST(Passthrough, MemoryOneToOneIsWhereAMachineCanHaveIt) {
    Mistakes mistakes;
    const auto far = parse_system(
        "[[vm]]\nkernel = \"k\"\nmemory = [{ size = \"64M\", address = 0x4000000000, one_to_one = true }]\n", "a.toml",
        mistakes);
    far->description.vms[0].images[0].size_bytes = 1;
    judge_machine_memory(*far, LoadedImages{}, mistakes);
    EXPECT_EQ(
        mistakes.texts(),
        (Lines{"a.toml:3: key 'vm.memory.address': value 0x4000000000: expected a lower one: the machine would need "
               "261376 MiB, QEMU's has at most 261120 MiB"}));
}

TEST(Passthrough, TheMachineReachesWhereMemoryIsOneToOne) {
    const Read one = read(kVm);
    EXPECT_EQ(machine_memory_bytes(*one.system, 0), (1024 + 64 + 64 + 128) * kMiB);
    Mistakes mistakes;
    const auto small = parse_system(std::string("[qemu]\nmemory = \"1G\"\n") + kVm, "a.toml", mistakes);
    small->description.vms[0].images[0].size_bytes = 1;
    judge_machine_memory(*small, LoadedImages{}, mistakes);
    EXPECT_EQ(
        mistakes.texts(),
        (Lines{"a.toml:2: key 'qemu.memory': value \"1G\": expected at least 1088 MiB for the VMs, their files and the "
               "host"}));
}

} // namespace
} // namespace sel4vm::cli
