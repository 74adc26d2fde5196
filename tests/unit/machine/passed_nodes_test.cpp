// SPDX-License-Identifier: BSD-2-Clause
//
// What a guest's device tree says of devices of the machine.
#include <sel4vm/machine/arm/device_tree.hpp>

#include <sel4vm/machine/arm/device_nodes.hpp>
#include <support/descriptions.hpp>
#include <support/device_tree.hpp>

#include <gtest/gtest.h>

namespace sel4vm::machine {
namespace {

using aarch64::PassedPages;
using aarch64::PhysicalTrigger;
using test::TreeBuffer;
using test::TreeView;
using Cells = std::vector<u32>;

constexpr u32 kClock = 0x51;
constexpr u32 kDivider = 0x52;

/// The host's: a device on a bus, with two clocks.
std::span<const u8> host_tree(std::span<u8> buffer, u32 second_clock) {
    boot::FdtWriter out(buffer);
    out.begin_node("");
    out.cell("interrupt-parent", 0x8001);
    out.begin_node("clk");
    out.text("compatible", "fixed-clock");
    out.cell("#clock-cells", 0);
    out.cell("clock-frequency", 25'000'000);
    out.cell("phandle", kClock);
    out.end_node();
    out.begin_node("divider");
    out.text("compatible", "vendor,divider");
    out.cell("phandle", kDivider);
    out.end_node();
    out.begin_node("soc");
    out.cell("#address-cells", 1);
    out.cell("#size-cells", 1);
    out.begin_node("eth@1000");
    out.texts("compatible", {"vendor,eth2", "vendor,eth"});
    out.cells("reg", {0x1000, 0x200});
    out.cells("interrupts", {0, 60, 4});
    out.cell("interrupt-parent", 0x8001);
    out.cells("clocks", {kClock, second_clock});
    out.texts("clock-names", {"bus", "ref"});
    out.bytes("local-mac-address", std::vector<u8>{2, 0, 0, 0, 0, 1});
    out.empty("dma-coherent");
    out.cells("resets", {kDivider, 3});
    out.cell("phy-supply", 0x99);
    out.cell("pinctrl-0", 0x98);
    out.cell("phandle", 0x60);
    out.text("status", "okay");
    out.end_node();
    out.end_node();
    out.end_node();
    return *out.finish();
}

aarch64::PassedDevice device() {
    aarch64::PassedDevice eth;
    (void)eth.ranges.emplace_back(
        aarch64::PassedRange{*HostPhysRange::make(HostPhys{0x1'3000'1000}, 0x200), PassedPages::own});
    (void)eth.ranges.emplace_back(
        aarch64::PassedRange{*HostPhysRange::make(HostPhys{0x3000'8000}, 0x2000), PassedPages::own});
    (void)eth.irqs.emplace_back(aarch64::PassedIrq{92, PhysicalTrigger::level});
    (void)eth.irqs.emplace_back(aarch64::PassedIrq{93, PhysicalTrigger::edge});
    return eth;
}

struct Guest {
    explicit Guest(u32 second_clock) {
        MachineDescription vm = test::good_vm();
        (void)vm.passthrough.emplace_back(PassthroughRecord{"/soc/eth@1000"});
        const aarch64::PassedDevice passed[] = {device()};
        DeviceTreeInputs inputs;
        inputs.passed = passed;
        inputs.host_tree = host_tree(host.bytes(), second_clock);
        const auto tree = write_device_tree(vm, inputs, guest.bytes());
        EXPECT_TRUE(tree.has_value());
        EXPECT_EQ(fdt_check_full(tree->data(), tree->size()), 0);
    }
    TreeBuffer host{4096};
    TreeBuffer guest{kDeviceTreeBufferBytes};
    TreeView view{guest.bytes()};
};

constexpr const char *kNode = "/eth@130001000";

TEST(PassedNodes, SayOfTheDeviceWhatTheHostsTreeSays) {
    const Guest guest(kClock);
    EXPECT_EQ(guest.view.texts(kNode, "compatible"), "vendor,eth2|vendor,eth|");
    EXPECT_EQ(guest.view.bytes(kNode, "local-mac-address"), (std::vector<u8>{2, 0, 0, 0, 0, 1}));
    EXPECT_TRUE(guest.view.bytes(kNode, "dma-coherent").has_value());
    EXPECT_EQ(guest.view.cells(kNode, "reg"), (Cells{1, 0x3000'1000, 0, 0x200, 0, 0x3000'8000, 0, 0x2000}));
    EXPECT_EQ(guest.view.cells(kNode, "interrupts"), (Cells{0, 60, 4, 0, 61, 1}));
    EXPECT_EQ(guest.view.cells("/", "interrupt-parent"), Cells{kGicPhandle});
}

TEST(PassedNodes, LeaveOutWhatNamesOtherNodes) {
    const Guest guest(kClock);
    for (const char *name : {"interrupt-parent", "resets", "phy-supply", "pinctrl-0", "phandle", "status"})
        EXPECT_FALSE(guest.view.bytes(kNode, name).has_value()) << name;
}

TEST(PassedNodes, FixedClocksComeAlong) {
    const Guest guest(kClock);
    EXPECT_EQ(guest.view.cells(kNode, "clocks"), (Cells{0x3000, 0x3001}));
    EXPECT_EQ(guest.view.texts(kNode, "clock-names"), "bus|ref|");
    EXPECT_EQ(guest.view.cells("/passed-clock@3001", "phandle"), Cells{0x3001});
    EXPECT_EQ(guest.view.cells("/passed-clock@3001", "clock-frequency"), Cells{25'000'000});
}

TEST(PassedNodes, WithoutAllOfItsClocksItHasNone) {
    const Guest guest(kDivider);
    EXPECT_FALSE(guest.view.bytes(kNode, "clocks").has_value());
    EXPECT_FALSE(guest.view.bytes(kNode, "clock-names").has_value());
    EXPECT_FALSE(guest.view.has("/passed-clock@3000"));
    EXPECT_TRUE(guest.view.has(kNode));
}

} // namespace
} // namespace sel4vm::machine
