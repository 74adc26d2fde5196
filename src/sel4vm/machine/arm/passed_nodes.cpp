// SPDX-License-Identifier: BSD-2-Clause
//
// See write_passed_node() in device_nodes.hpp. What a node says of the device itself is copied as it is; what names other nodes (buses, clocks, resets,
// regulators, IOMMUs) means nothing in the guest's tree. Bindings: Linux Documentation/devicetree/bindings.
#include <sel4vm/machine/arm/device_nodes.hpp>

#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/boot/bytes.hpp>

#include <algorithm>
#include <array>
#include <libfdt.h>

namespace sel4vm::machine {
namespace {

using boot::FdtWriter;

/// What is written anew, or refers to other nodes.
constexpr std::array<std::string_view, 31> kLeftOut{"reg",
                                                    "interrupts",
                                                    "interrupts-extended",
                                                    "interrupt-parent",
                                                    "phandle",
                                                    "linux,phandle",
                                                    "status",
                                                    "ranges",
                                                    "dma-ranges",
                                                    "clocks",
                                                    "clock-names",
                                                    "assigned-clocks",
                                                    "resets",
                                                    "reset-names",
                                                    "power-domains",
                                                    "iommus",
                                                    "iommu-map",
                                                    "msi-parent",
                                                    "msi-map",
                                                    "dmas",
                                                    "dma-names",
                                                    "phys",
                                                    "phy-names",
                                                    "phy-handle",
                                                    "interconnects",
                                                    "memory-region",
                                                    "#address-cells",
                                                    "#size-cells",
                                                    "pinctrl-names",
                                                    "interrupt-map",
                                                    "interconnect-names"};

bool is_left_out(std::string_view name) {
    return std::find(kLeftOut.begin(), kLeftOut.end(), name) != kLeftOut.end() || name.ends_with("-supply") ||
           name.ends_with("-gpios") || name.starts_with("assigned-clock-") ||
           (name.starts_with("pinctrl-") && name.size() == 9);
}

std::span<const u8> property(const void *tree, int node, const char *name) {
    int size = 0;
    const void *value = fdt_getprop(tree, node, name, &size);
    return value != nullptr && size > 0 ? std::span{static_cast<const u8 *>(value), static_cast<usize>(size)}
                                        : std::span<const u8>{};
}

/// The clocks, when all are fixed ones.
FixedVector<int, kClocksOfADevice> fixed_clocks(const void *tree, int node) {
    FixedVector<int, kClocksOfADevice> clocks;
    const auto cells = property(tree, node, "clocks");
    for (usize at = 0; at + 4 <= cells.size(); at += 4) {
        const int clock = fdt_node_offset_by_phandle(tree, boot::load_be<u32>(cells, at));
        const bool fixed = clock >= 0 && fdt_node_check_compatible(tree, clock, "fixed-clock") == 0;
        if (!fixed || property(tree, clock, "clock-frequency").size() != 4 || clocks.emplace_back(clock) == nullptr)
            return {};
    }
    return clocks;
}

void write_clocks(FdtWriter &out, const void *tree, std::span<const int> clocks, u32 first_phandle) {
    u32 phandle = first_phandle;
    for (const int clock : clocks) {
        out.begin_node("passed-clock", phandle);
        out.text("compatible", "fixed-clock");
        out.cell("#clock-cells", 0);
        out.bytes("clock-frequency", property(tree, clock, "clock-frequency"));
        if (const auto name = property(tree, clock, "clock-output-names"); !name.empty())
            out.bytes("clock-output-names", name);
        out.cell("phandle", phandle++);
        out.end_node();
    }
}

void write_clock_references(FdtWriter &out, const void *tree, int node, usize count, u32 first_phandle) {
    std::array<u32, kClocksOfADevice> phandles{};
    for (usize i = 0; i < count; ++i)
        phandles[i] = first_phandle + static_cast<u32>(i);
    out.cells("clocks", std::span<const u32>(phandles).first(count));
    if (const auto names = property(tree, node, "clock-names"); !names.empty())
        out.bytes("clock-names", names);
}

void write_ranges(FdtWriter &out, const aarch64::PassedDevice &device) {
    std::array<u8, aarch64::PassedDevice::kMost * 16> bytes{};
    usize at = 0;
    for (const aarch64::PassedRange &part : device.ranges) {
        for (const u64 number : {part.range.base().value(), part.range.size()})
            for (unsigned shift = 64; shift != 0; shift -= 8)
                bytes[at++] = static_cast<u8>(number >> (shift - 8));
    }
    out.bytes("reg", std::span<const u8>(bytes).first(at));
}

void write_interrupts(FdtWriter &out, const aarch64::PassedDevice &device) {
    std::array<u32, aarch64::PassedDevice::kMost * 3> cells{};
    usize at = 0;
    for (const aarch64::PassedIrq &irq : device.irqs) {
        const bool edge = irq.trigger == aarch64::PhysicalTrigger::edge;
        cells[at++] = static_cast<u32>(IrqSpace::shared);
        cells[at++] = irq.intid - aarch64::kFirstSpi;
        cells[at++] = static_cast<u32>(edge ? IrqFlags::edge_rising : IrqFlags::level_high);
    }
    if (at != 0)
        out.cells("interrupts", std::span<const u32>(cells).first(at));
}

} // namespace

void write_passed_node(FdtWriter &out, std::span<const u8> host_tree, std::string_view path,
                       const aarch64::PassedDevice &device, u32 index) {
    if (host_tree.empty())
        return;
    const void *tree = host_tree.data();
    const int node = fdt_path_offset_namelen(tree, path.data(), static_cast<int>(path.size()));
    if (node < 0 || device.ranges.empty())
        return; // the host has found it there
    const auto clocks = fixed_clocks(tree, node);
    const u32 first_phandle = kFirstPassedClockPhandle + kClocksOfADevice * index;
    write_clocks(out, tree, clocks.view(), first_phandle);

    const char *whole = fdt_get_name(tree, node, nullptr);
    const std::string_view name = whole != nullptr ? whole : "device";
    out.begin_node(name.substr(0, name.find('@')), device.ranges[0].range.base().value());
    for (int at = fdt_first_property_offset(tree, node); at >= 0; at = fdt_next_property_offset(tree, at)) {
        const char *key = nullptr;
        int size = 0;
        const void *value = fdt_getprop_by_offset(tree, at, &key, &size);
        if (value != nullptr && key != nullptr && size >= 0 && !is_left_out(key))
            out.bytes(key, {static_cast<const u8 *>(value), static_cast<usize>(size)});
    }
    write_ranges(out, device);
    write_interrupts(out, device);
    if (!clocks.empty())
        write_clock_references(out, tree, node, clocks.size(), first_phandle);
    out.end_node();
}

} // namespace sel4vm::machine
