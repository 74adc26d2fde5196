// SPDX-License-Identifier: BSD-2-Clause
//
// The PCI bus in a device tree. Binding: pci/host-generic-pci.yaml of Linux.
#include <sel4vm/machine/arm/device_nodes.hpp>

#include <span>

namespace sel4vm::machine {

namespace {

using boot::FdtWriter;

// The first cell of an address of PCI's (IEEE 1275, PCI Bus Binding 2.2.1.1): which space.
constexpr u32 kPortSpace = 0x0100'0000;
constexpr u32 kMemory32Space = 0x0200'0000;
constexpr u32 kMemory64Space = 0x0300'0000;

constexpr u32 high(u64 value) { return static_cast<u32>(value >> 32); }
constexpr u32 low(u64 value) { return static_cast<u32>(value); }

void put_ranges(FdtWriter &out) {
    const auto &io = kPciPorts, &narrow = kPciMemory32, &wide = kPciMemory64;
    out.cells("ranges", {kPortSpace,
                         0,
                         0,
                         high(io.base.value()),
                         low(io.base.value()),
                         0,
                         low(io.size_bytes),
                         kMemory32Space,
                         0,
                         low(narrow.base.value()),
                         0,
                         low(narrow.base.value()),
                         0,
                         low(narrow.size_bytes),
                         kMemory64Space,
                         high(wide.base.value()),
                         low(wide.base.value()),
                         high(wide.base.value()),
                         low(wide.base.value()),
                         high(wide.size_bytes),
                         low(wide.size_bytes)});
}

/// Which wire the pin of a slot is, for four slots and four pins; the mask makes the others like one of them. A row has the GIC's #address-cells before
/// its interrupt's cells.
void put_wires(FdtWriter &out, u32 gic_address_cells) {
    constexpr u32 kSlots = 4, kPins = 4, kSlotShift = 11, kMostCells = 4 + 1 + 2 + 3;
    FixedVector<u32, kSlots * kPins * kMostCells> map;
    for (u32 slot = 0; slot < kSlots; ++slot) {
        for (u32 pin = 0; pin < kPins; ++pin) {
            for (const u32 cell : {slot << kSlotShift, 0U, 0U, pin + 1, kGicPhandle})
                (void)map.emplace_back(cell);
            for (u32 i = 0; i < gic_address_cells; ++i)
                (void)map.emplace_back(0U);
            for (const u32 cell : {static_cast<u32>(IrqSpace::shared), kPciSpi + (slot + pin) % kPins,
                                   static_cast<u32>(IrqFlags::level_high)})
                (void)map.emplace_back(cell);
        }
    }
    out.cell("#interrupt-cells", 1);
    out.cells("interrupt-map-mask", {(kSlots - 1) << kSlotShift, 0, 0, 7});
    out.cells("interrupt-map", std::span<const u32>(map.begin(), map.size()));
}

} // namespace

void write_pci_node(FdtWriter &out, const MachineDescription &vm) {
    out.begin_node("pcie", kPciConfig.base.value());
    out.text("compatible", "pci-host-ecam-generic");
    out.text("device_type", "pci");
    out.wide_cells("reg", {kPciConfig.base.value(), kPciConfig.size_bytes});
    out.cells("bus-range", {0, 0});
    out.cell("linux,pci-domain", 0);
    out.cell("#address-cells", 3);
    out.cell("#size-cells", 2);
    put_ranges(out);
    put_wires(out, gic_address_cells(vm));
    if (vm.gic.msi.kind != MsiKind::none)
        out.cells("msi-map", {0, msi_phandle(vm.gic.msi), 0, 0x1'0000});
    out.empty("dma-coherent");
    out.end_node();
}

} // namespace sel4vm::machine
