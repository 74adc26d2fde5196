// SPDX-License-Identifier: BSD-2-Clause
//
// See device_nodes.hpp.
#include <sel4vm/machine/arm/device_nodes.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/bits.hpp>
#include <sel4vm/dev/cfi_flash/cfi_flash.hpp>
#include <sel4vm/dev/fw_cfg/fw_cfg.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace sel4vm::machine {
namespace {

using boot::FdtWriter;

constexpr u32 kClockHz = 24'000'000;

void put_registers(FdtWriter &out, const AddressBlock &block) {
    out.wide_cells("reg", {block.base.value(), block.size_bytes});
}

void put_interrupt(FdtWriter &out, const DeviceRecord &device) {
    const IrqFlags flags = device.trigger == Trigger::level ? IrqFlags::level_high : IrqFlags::edge_rising;
    out.cells("interrupts", {static_cast<u32>(IrqSpace::shared), device.spi, static_cast<u32>(flags)});
}

/// One clock for each name.
void put_clocks(FdtWriter &out, std::string_view names) {
    if (names.empty())
        return;
    std::array<u32, 4> clocks{};
    const auto count = static_cast<usize>(std::count(names.begin(), names.end(), '\0')) + 1;
    SEL4VM_ASSERT(count <= clocks.size()); // of a table of ours
    clocks.fill(kClockPhandle);
    out.cells("clocks", std::span<const u32>(clocks).first(count));
    out.text("clock-names", names);
}

/// Of a private interrupt.
u32 ppi_flags(const MachineDescription &vm) {
    const u32 flags = static_cast<u32>(IrqFlags::level_high);
    // The GICv2 binding wants to know which CPUs it is wired to.
    return vm.gic.version == GicVersion::v2 ? flags | low_mask<u32>(vm.vcpu_count < 8 ? vm.vcpu_count : 8) << 8 : flags;
}

} // namespace

const char *psci_method(aarch64::Conduit firmware) { return firmware == aarch64::Conduit::smc ? "smc" : "hvc"; }

void write_psci_node(FdtWriter &out, aarch64::Conduit firmware) {
    out.begin_node("psci");
    out.texts("compatible", {"arm,psci-1.0", "arm,psci-0.2"});
    out.text("method", psci_method(firmware));
    out.end_node();
}

void write_memory_nodes(FdtWriter &out, const MachineDescription &vm) {
    for (const MemoryRegion &region : vm.memory) {
        out.begin_node("memory", region.base.value());
        out.text("device_type", "memory");
        put_registers(out, {region.base, region.size_bytes});
        out.end_node();
    }
}

void write_timer_node(FdtWriter &out, const MachineDescription &vm) {
    const u32 flags = ppi_flags(vm);
    const u32 ppi = static_cast<u32>(IrqSpace::private_);
    out.begin_node("timer");
    out.texts("compatible", {"arm,armv8-timer", "arm,armv7-timer"});
    out.cells("interrupts", {ppi, vm.timer.secure_physical, flags, ppi, vm.timer.physical, flags, ppi,
                             vm.timer.virtual_timer, flags, ppi, vm.timer.hypervisor, flags});
    out.empty("always-on"); // a vCPU that waits keeps its timer
    out.end_node();
}

void write_pmu_node(FdtWriter &out, const MachineDescription &vm) {
    out.begin_node("pmu");
    out.text("compatible", "arm,armv8-pmuv3");
    out.cells("interrupts", {static_cast<u32>(IrqSpace::private_), kPmuPpi, ppi_flags(vm)});
    out.end_node();
}

namespace {

/// Inside the GIC's.
void write_msi_node(FdtWriter &out, MsiKind kind, const AddressBlock &frame) {
    const bool its = kind == MsiKind::its;
    out.begin_node(its ? "its" : "v2m", frame.base.value());
    out.text("compatible", its ? "arm,gic-v3-its" : "arm,gic-v2m-frame");
    put_registers(out, frame);
    out.empty("msi-controller");
    if (its)
        out.cell("#msi-cells", 1);
    out.cell("phandle", kMsiPhandle);
    out.end_node();
}

} // namespace

u32 gic_address_cells(const MachineDescription &vm) { return msi_frame(vm.gic.msi).size_bytes != 0 ? 2 : 0; }

void write_gic_node(FdtWriter &out, const MachineDescription &vm) {
    const GicRecord &gic = vm.gic;
    const bool v3 = gic.version == GicVersion::v3;
    const AddressBlock &second = v3 ? gic.redistributors : gic.cpu_interface;
    out.begin_node("intc", gic.distributor.base.value());
    out.text("compatible", v3 ? "arm,gic-v3" : "arm,cortex-a15-gic");
    const AddressBlock &third = gic.more_redistributors;
    const bool two_rows = gic.redistributors_left(vm.vcpu_count) != 0;
    if (two_rows)
        out.wide_cells("reg", {gic.distributor.base.value(), gic.distributor.size_bytes, second.base.value(),
                               second.size_bytes, third.base.value(), third.size_bytes});
    else
        out.wide_cells(
            "reg", {gic.distributor.base.value(), gic.distributor.size_bytes, second.base.value(), second.size_bytes});
    out.empty("interrupt-controller");
    out.cell("#interrupt-cells", 3);
    if (v3)
        out.cell("#redistributor-regions", two_rows ? 2 : 1);
    out.cell("phandle", kGicPhandle);
    if (gic.msi.kind == MsiKind::mbi) {
        out.empty("msi-controller");
        out.cells("mbi-ranges", {aarch64::kFirstSpi + gic.msi.first_spi, gic.msi.spi_count});
    }
    out.cell("#address-cells", gic_address_cells(vm));
    if (const AddressBlock frame = msi_frame(gic.msi); frame.size_bytes != 0) {
        out.cell("#size-cells", 2);
        out.empty("ranges");
        write_msi_node(out, gic.msi.kind, frame);
    }
    out.end_node();
}

// Binding: mtd/mtd-physmap.yaml of Linux. EDK2 and U-Boot look for it, too.
void write_flash_node(FdtWriter &out, const FlashRecord &flash) {
    out.begin_node("flash", flash.base.value());
    out.text("compatible", "cfi-flash");
    put_registers(out, {flash.base, kFlashBankBytes});
    out.cell("bank-width", dev::CfiFlash::kBankWidth);
    out.end_node();
}

// Binding: firmware/qemu,fw-cfg-mmio.yaml of Linux.
void write_fw_cfg_node(FdtWriter &out) {
    out.begin_node("fw-cfg", kFwCfgBase.value());
    out.text("compatible", "qemu,fw-cfg-mmio");
    put_registers(out, {kFwCfgBase, dev::FwCfg::kRangeBytes});
    out.empty("dma-coherent");
    out.end_node();
}

void write_clock_node(FdtWriter &out) {
    out.begin_node("apb-pclk");
    out.text("compatible", "fixed-clock");
    out.cell("#clock-cells", 0);
    out.cell("clock-frequency", kClockHz);
    out.text("clock-output-names", "clk24mhz");
    out.cell("phandle", kClockPhandle);
    out.end_node();
}

void write_device_node(FdtWriter &out, const DeviceRecord &device, u32 phandle) {
    const dev::DeviceNode &node = device.kind->node;
    out.begin_node(node.name, device.registers.base.value());
    out.text("compatible", node.compatible);
    put_registers(out, device.registers);
    put_interrupt(out, device);
    put_clocks(out, node.clock_names);
    if (node.add_properties != nullptr)
        node.add_properties(out, phandle);
    out.end_node();
    if (node.add_nodes != nullptr)
        node.add_nodes(out, phandle);
}

Text<48> device_path(const DeviceRecord &device) {
    Text<20> hex;
    hex << Hex{device.registers.base.value()};
    Text<48> path;
    path << '/' << device.kind->node.name << '@' << hex.view().substr(2);
    return path;
}

} // namespace sel4vm::machine
