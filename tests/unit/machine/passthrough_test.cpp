// SPDX-License-Identifier: BSD-2-Clause
//
// What validate() says of devices and memory of the machine that VMs are given.
#include <sel4vm/machine/validate.hpp>

#include <support/descriptions.hpp>

#include <gtest/gtest.h>

namespace sel4vm::machine {
namespace {

SystemDescription two_vms() {
    SystemDescription system = test::good_system();
    MachineDescription second = test::good_vm();
    second.name = "second";
    (void)system.vms.emplace_back(second);
    return system;
}

TEST(ValidatePassthrough, TwoVmsMayHaveDevicesOfTheirOwn) {
    SystemDescription system = two_vms();
    (void)system.vms[0].passthrough.emplace_back(PassthroughRecord{"/virtio_mmio@a003c00"});
    (void)system.vms[1].passthrough.emplace_back(PassthroughRecord{"/virtio_mmio@a003e00"});
    EXPECT_TRUE(validate(system).empty());
}

TEST(ValidatePassthrough, OneDeviceIsNotForTwo) {
    SystemDescription system = two_vms();
    (void)system.vms[0].passthrough.emplace_back(PassthroughRecord{"/a"});
    (void)system.vms[0].passthrough.emplace_back(PassthroughRecord{"/b"});
    (void)system.vms[1].passthrough.emplace_back(PassthroughRecord{"/b"});
    const Problems problems = validate(system);
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems[0].key.view(), "vm[1].passthrough[0].node");
    EXPECT_EQ(problems[0].value.view(), "/b");
    EXPECT_EQ(problems[0].other.view(), "vm[0].passthrough[1].node");
}

TEST(ValidatePassthrough, ANodeIsAnAbsolutePathWithoutEmptyParts) {
    for (const std::string_view wrong : {"", "a", "/", "/a/", "/a//b", "/a b", "/a\x7f"}) {
        SystemDescription system = test::good_system();
        (void)system.vms[0].passthrough.emplace_back(PassthroughRecord{wrong});
        const Problems problems = validate(system);
        ASSERT_EQ(problems.size(), 1u) << wrong;
        EXPECT_EQ(problems[0].key.view(), "vm[0].passthrough[0].node");
    }
    const std::string longest(kMaxNodePathBytes, 'a');
    for (const usize bytes : {kMaxNodePathBytes, kMaxNodePathBytes + 1}) {
        SystemDescription system = test::good_system();
        const std::string path = "/" + longest.substr(0, bytes - 1) + (bytes > kMaxNodePathBytes ? "a" : "");
        (void)system.vms[0].passthrough.emplace_back(PassthroughRecord{path});
        EXPECT_EQ(validate(system).empty(), bytes <= kMaxNodePathBytes) << bytes;
    }
}

TEST(ValidatePassthrough, MemoryOneToOneIsEagerAndNobodyElses) {
    SystemDescription system = two_vms();
    for (MachineDescription &vm : system.vms)
        vm.memory[0].one_to_one = true;
    Problems problems = validate(system);
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems[0].key.view(), "vm[1].memory[0].base");
    EXPECT_EQ(problems[0].other.view(), "vm[0].memory[0].base");

    system.vms[1].memory[0].one_to_one = false;
    EXPECT_TRUE(validate(system).empty()) << "the same guest address elsewhere in the machine";
    system.vms[1].memory[0].one_to_one = true;
    system.vms[1].memory[0].base = Gpa{0x10'0000'0000};
    EXPECT_TRUE(validate(system).empty());
    system.vms[1].memory[0].kind = RamKind::demand;
    problems = validate(system);
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems[0].key.view(), "vm[1].memory[0].one_to_one");
}

} // namespace
} // namespace sel4vm::machine
