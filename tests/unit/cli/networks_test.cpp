// SPDX-License-Identifier: BSD-2-Clause
//
// [[switch]] and [[vm.net]]: which devices they make, and what is said of bad ones.
#include <apps/sel4vm/describe.hpp>
#include <apps/sel4vm/disks.hpp>
#include <support/parsed_system.hpp>

#include <gtest/gtest.h>

namespace sel4vm::cli {
namespace {

constexpr std::string_view kLan = "[[switch]]\nname = \"lan\"\n";

std::string vm_with(std::string_view nets) { return std::string(kLan) + std::string(kSmallest) + std::string(nets); }

TEST(NetworkKeys, MakeCardsInFreeSlots) {
    Mistakes mistakes;
    const auto system =
        parse_system(vm_with("[[vm.disk]]\npath = \"a\"\n[[vm.net]]\nswitch = \"lan\"\n"
                             "[[vm.net]]\nswitch = \"lan\"\nname = \"fast\"\nmtu = 9000\nlimit = \"10M\"\n"
                             "mac = \"02:00:00:00:aB:Cd\"\nisolated = true\nmac_filter = true\n"),
                     "a.toml", mistakes);
    EXPECT_EQ(mistakes.texts(), Lines{});
    ASSERT_EQ(system->description.switches.size(), 1U);
    EXPECT_EQ(system->description.switches[0].name, "lan");
    const auto &devices = system->description.vms[0].devices;
    ASSERT_EQ(devices.size(), 5U);
    EXPECT_EQ(devices[3].name, "net1");
    EXPECT_EQ(devices[3].kind->type, "virtio-net");
    EXPECT_EQ(devices[3].registers, (machine::AddressBlock{Gpa{0x0a00'0200}, 0x200}));
    EXPECT_EQ(devices[3].spi, 17U);
    EXPECT_EQ(devices[3].net, (machine::NetRecord{.network = "lan"}));
    EXPECT_EQ(devices[4].name, "fast");
    EXPECT_EQ(devices[4].net,
              (machine::NetRecord{"lan", MacAddress{{2, 0, 0, 0, 0xab, 0xcd}}, 9000, 10 * kMiB, true, true}));
    const std::string text = describe(system->description);
    EXPECT_NE(text.find("switch \"lan\"\n"), std::string::npos) << text;
    EXPECT_NE(text.find("net1             at switch lan, 02:73:34:00:00:04, mtu 1500\n"), std::string::npos) << text;
    EXPECT_NE(text.find("fast             at switch lan, 02:00:00:00:ab:cd, mtu 9000, isolated, mac filter, 10485760 "
                        "bytes a second\n"),
              std::string::npos)
        << text;
}

TEST(NetworkKeys, AnAddressIsSixBytesWithColons) {
    EXPECT_EQ(parse_mac("01:23:45:67:89:ab"), (MacAddress{{1, 0x23, 0x45, 0x67, 0x89, 0xab}}));
    for (const char *text :
         {"", "01:23:45:67:89", "01:23:45:67:89:ab:", "01-23-45-67-89-ab", "01:23:45:67:89:ag", "0123456789abcdefg"})
        EXPECT_FALSE(parse_mac(text).has_value()) << text;
}

TEST(NetworkKeys, WhatIsWrongIsSaidInTheFilesWords) {
    EXPECT_EQ(all_mistakes_in(vm_with("[[vm.net]]\nswitch = \"wan\"\n")),
              Lines{"a.toml:7: key 'vm.net.switch': value \"wan\": expected the name of a switch"});
    EXPECT_EQ(all_mistakes_in(vm_with("[[vm.net]]\n")),
              Lines{"a.toml:6: key 'vm.net.switch': missing: expected the name of a switch"});
    EXPECT_EQ(all_mistakes_in(vm_with("[[vm.net]]\nswitch = \"lan\"\nmac = \"x\"\n")),
              Lines{"a.toml:8: key 'vm.net.mac': value \"x\": expected an address such as \"02:00:00:00:00:01\""});
    const Lines same = all_mistakes_in(vm_with("[[vm.net]]\nswitch = \"lan\"\nmac = \"02:00:00:00:00:01\"\n"
                                               "[[vm.net]]\nswitch = \"lan\"\nmac = \"02:00:00:00:00:01\"\n"));
    ASSERT_EQ(same.size(), 1U);
    EXPECT_NE(same[0].find("an address of its own for each port of a switch"), std::string::npos) << same[0];
    const Lines group = all_mistakes_in(vm_with("[[vm.net]]\nswitch = \"lan\"\nmac = \"01:00:00:00:00:01\"\n"));
    ASSERT_EQ(group.size(), 1U);
    EXPECT_NE(group[0].find("an address of one station"), std::string::npos) << group[0];
}

TEST(NetworkKeys, TwoSwitchesOrDevicesOfOneNameAreAMistake) {
    EXPECT_FALSE(all_mistakes_in(vm_with(kLan)).empty());
    const Lines clash = all_mistakes_in(vm_with("[[vm.net]]\nswitch = \"lan\"\nname = \"uart\"\n"));
    ASSERT_EQ(clash.size(), 1U);
    EXPECT_NE(clash[0].find("a name of its own for each device"), std::string::npos) << clash[0];
}

} // namespace
} // namespace sel4vm::cli
