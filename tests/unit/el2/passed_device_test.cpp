// SPDX-License-Identifier: BSD-2-Clause
//
// Devices of the machine as the el2 host finds them, and which it refuses to give away.
#include <hosts/el2/portable/passed_device.hpp>

#include "machine_tree.hpp"

#include <hosts/el2/portable/virtio_nodes.hpp>

#include <functional>

namespace sel4vm::el2 {
namespace {

using aarch64::PassedPages;
using aarch64::PhysicalTrigger;

/// With two transports in one page, a bus that is elsewhere for the CPU, and on it a device with a page of its own.
struct Machine {
    Machine() {
        tree.node("/virtio_mmio@a000000");
        tree.cells("/virtio_mmio@a000000", "reg", {0, 0xa00'0000, 0, 0x200});
        tree.cells("/virtio_mmio@a000000", "interrupts", {0, 16, 1});
        tree.node("/virtio_mmio@a000200");
        tree.cells("/virtio_mmio@a000200", "reg", {0, 0xa00'0200, 0, 0x200});
        tree.cells("/virtio_mmio@a000200", "interrupts", {0, 17, 4});
        tree.node("/soc");
        tree.cells("/soc", "#address-cells", {1});
        tree.cells("/soc", "#size-cells", {1});
        tree.cells("/soc", "ranges", {0x1000'0000, 0, 0x3000'0000, 0x100'0000});
        tree.node("/soc/eth@1000");
        tree.cells("/soc/eth@1000", "reg", {0x1000'1000, 0x200, 0x1000'3000, 0x2000});
        tree.cells("/soc/eth@1000", "interrupts", {0, 60, 4, 0, 61, 1});
    }
    [[nodiscard]] Result<aarch64::PassedDevice, TreeError> find(std::string_view path) {
        PlatformInfo info;
        EXPECT_EQ(read(tree, info), "");
        return find_passed_device(*DeviceTree::open(tree.bytes()), info, path);
    }
    [[nodiscard]] std::string refusal(std::string_view path) {
        const auto found = find(path);
        return found ? "" : std::string(found.error().message.view());
    }
    Tree tree{GicVersion::v3};
};

TEST(VirtioNodes, AreThoseThatTheHostCanDrive) {
    Machine machine;
    machine.tree.node("/virtio_mmio@a000400");
    machine.tree.cells("/virtio_mmio@a000400", "reg", {0, 0xa00'0400, 0, 0x100}); // without a configuration
    machine.tree.cells("/virtio_mmio@a000400", "interrupts", {0, 18, 1});
    machine.tree.node("/virtio_mmio@a000600");
    machine.tree.cells("/virtio_mmio@a000600", "reg", {0, 0xa00'0600, 0, 0x200});
    machine.tree.cells("/virtio_mmio@a000600", "interrupts", {1, 5, 1}); // a private one
    for (const char *path :
         {"/virtio_mmio@a000000", "/virtio_mmio@a000200", "/virtio_mmio@a000400", "/virtio_mmio@a000600"})
        machine.tree.text(path, "compatible", "virtio,mmio");
    for (const char *path : {"/virtio_mmio@a000000", "/virtio_mmio@a000400", "/virtio_mmio@a000600"})
        machine.tree.cells(path, "dma-coherent", {});
    const auto tree = *DeviceTree::open(machine.tree.bytes());
    const auto found = next_virtio_node(tree);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->registers, *HostPhysRange::make(HostPhys{0xa00'0000}, 0x200));
    EXPECT_EQ(found->irq.intid, 48U);
    EXPECT_EQ(found->irq.trigger, IrqTrigger::edge);
    EXPECT_FALSE(next_virtio_node(tree, found->node)) << "not coherent, too small, and with a private interrupt";
}

TEST(PassedDevice, HasRegistersAndInterruptsAsTheCpuSeesThem) {
    Machine machine;
    const auto eth = machine.find("/soc/eth@1000");
    ASSERT_TRUE(eth);
    ASSERT_EQ(eth->ranges.size(), 2U);
    EXPECT_EQ(eth->ranges[0].range, *HostPhysRange::make(HostPhys{0x3000'1000}, 0x200));
    EXPECT_EQ(eth->ranges[1].range, *HostPhysRange::make(HostPhys{0x3000'3000}, 0x2000));
    EXPECT_EQ(eth->ranges[0].pages, PassedPages::own);
    ASSERT_EQ(eth->irqs.size(), 2U);
    EXPECT_EQ(eth->irqs[0].intid, 92U);
    EXPECT_EQ(eth->irqs[0].trigger, PhysicalTrigger::level);
    EXPECT_EQ(eth->irqs[1].intid, 93U);
    EXPECT_EQ(eth->irqs[1].trigger, PhysicalTrigger::edge);
}

TEST(PassedDevice, APageWithAnotherDeviceInItIsShared) {
    Machine machine;
    for (const char *path : {"/virtio_mmio@a000000", "/virtio_mmio@a000200"}) {
        const auto one = machine.find(path);
        ASSERT_TRUE(one) << path;
        EXPECT_EQ(one->ranges[0].pages, PassedPages::shared) << path;
    }
    machine.tree.cells("/virtio_mmio@a000200", "reg", {0, 0xa00'1000, 0, 0x200});
    EXPECT_EQ(machine.find("/virtio_mmio@a000000")->ranges[0].pages, PassedPages::own);
    machine.tree.cells("/virtio_mmio@a000200", "reg", {0, 0x900'1800, 0, 0x200});
    machine.tree.cells("/pl011@9000000", "reg", {0, 0x900'0000, 0, 0x1800});
    EXPECT_EQ(machine.find("/virtio_mmio@a000200")->ranges[0].pages, PassedPages::shared) << "with the host's console";
}

TEST(PassedDevice, WhatTheHostNeedsOrCannotPassIsRefused) {
    struct Case {
        const char *path;
        std::function<void(Tree &)> change;
        const char *text;
    };
    const auto as_it_is = [](Tree &) {};
    const Case cases[] = {
        {"/nothing", as_it_is, "the machine's device tree has no such node"},
        {"/pl011@9000000", as_it_is, "it is the host's console"},
        {"/pl031@9010000", as_it_is, "it is the host's clock"},
        {"/memory@40000000", as_it_is, "it is memory"},
        {"/intc@8000000", as_it_is, "it is the interrupt controller"},
        {"/intc@8000000/its@8080000",
         [](Tree &t) {
             t.node("/intc@8000000/its@8080000");
             t.cells("/intc@8000000/its@8080000", "reg", {0, 0x808'0000, 0, 0x2'0000});
         },
         "it is a part of the interrupt controller"},
        {"/timer", as_it_is, "it has no registers"},
        {"/soc", as_it_is, "it has no registers"},
        {"/soc/eth@1000", [](Tree &t) { t.text("/soc/eth@1000", "status", "disabled"); }, "it is disabled"},
        {"/soc/eth@1000", [](Tree &t) { t.cells("/soc/eth@1000", "iommus", {9}); }, "an IOMMU stands before it"},
        {"/soc/eth@1000",
         [](Tree &t) {
             t.cells("/soc/eth@1000", "interrupts", {1, 5, 4});
         },
         "are not shared ones"},
        {"/soc/eth@1000", [](Tree &t) { t.cells("/soc/eth@1000", "interrupt-parent", {8}); }, "are not shared ones"},
        {"/soc/eth@1000",
         [](Tree &t) {
             t.cells("/soc/eth@1000", "interrupts-extended", {7, 0, 5, 4});
         },
         "are not shared ones"},
        {"/soc/eth@1000",
         [](Tree &t) {
             t.cells("/soc/eth@1000", "interrupts", {0, 1, 4});
         },
         "the host's console has its interrupt"},
        {"/soc/eth@1000",
         [](Tree &t) {
             t.cells("/soc/eth@1000", "reg", {0x1200'0000, 0x200});
         },
         "'reg' cannot be reached through the buses above"},
        {"/soc/eth@1000",
         [](Tree &t) {
             t.cells("/soc", "ranges", {0x1000'0000, 0, 0x4000'0000, 0x100'0000});
         },
         "it is memory"},
    };
    for (const Case &one : cases) {
        Machine machine;
        one.change(machine.tree);
        const std::string refusal = machine.refusal(one.path);
        EXPECT_NE(refusal.find(one.text), std::string::npos) << one.path << ": " << refusal;
    }
}

TEST(PassedDevice, ADeviceWithoutInterruptsIsFine) {
    Machine machine;
    machine.tree.remove("/soc/eth@1000", "interrupts");
    const auto eth = machine.find("/soc/eth@1000");
    ASSERT_TRUE(eth);
    EXPECT_TRUE(eth->irqs.empty());
}

} // namespace
} // namespace sel4vm::el2
