// SPDX-License-Identifier: BSD-2-Clause
//
// Writes a manifest; manifest_decode.cpp reads it, property for property. docs/bundle-format.md lists them.
#include <sel4vm/boot/fdt_writer.hpp>
#include <sel4vm/machine/manifest.hpp>
#include <sel4vm/machine/names.hpp>

namespace sel4vm::machine {
namespace {

using boot::FdtWriter;

void put_block(FdtWriter &out, const char *name, const AddressBlock &block) {
    out.wide_cells(name, {block.base.value(), block.size_bytes});
}

void put_flag(FdtWriter &out, const char *name, bool value) { out.cell(name, value ? 1 : 0); }

void put_gic(FdtWriter &out, const GicRecord &gic) {
    out.begin_node("gic");
    out.cell("version", static_cast<u32>(gic.version));
    put_block(out, "distributor", gic.distributor);
    put_block(out, "cpu-interface", gic.cpu_interface);
    put_block(out, "redistributors", gic.redistributors);
    put_block(out, "more-redistributors", gic.more_redistributors);
    out.cell("spis", gic.spi_count);
    if (gic.msi.kind != MsiKind::none) {
        out.text("msi", name_of(gic.msi.kind));
        put_block(out, "msi-frame", gic.msi.frame);
        out.cells("msi-spis", {gic.msi.first_spi, gic.msi.spi_count});
    }
    out.end_node();
}

void put_net(FdtWriter &out, const NetRecord &net) {
    out.text("switch", net.network);
    if (net.mac)
        out.wide_cells("mac", {net.mac->value()});
    out.cell("mtu", net.mtu);
    out.wide_cells("limit", {net.limit_bytes_per_second});
    put_flag(out, "isolated", net.isolated);
    put_flag(out, "mac-filter", net.mac_filter);
}

void put_device(FdtWriter &out, const DeviceRecord &device, usize index) {
    out.begin_node("device", index);
    out.text("type", device.kind->type);
    out.text("name", device.name);
    put_block(out, "registers", device.registers);
    out.cell("spi", device.spi);
    out.text("trigger", name_of(device.trigger));
    out.text("console", name_of(device.console));
    if (device.disk)
        out.cell("disk", *device.disk);
    if (device.slot)
        out.cell("slot", *device.slot);
    if (!device.machine_disk.empty()) {
        out.text("machine-disk", device.machine_disk);
        put_flag(out, "read-only", device.read_only);
    }
    if (device.net)
        put_net(out, *device.net);
    out.end_node();
}

void put_shared(FdtWriter &out, const SharedRecord &shared, usize index) {
    out.begin_node("shared", index);
    out.text("name", shared.name);
    out.wide_cells("size", {shared.size_bytes});
    out.cell("side", shared.side);
    out.text("access", name_of(shared.access));
    if (shared.base)
        out.wide_cells("base", {shared.base->value()});
    if (shared.doorbell)
        out.wide_cells("doorbell", {shared.doorbell->value()});
    if (shared.spi)
        out.cell("spi", *shared.spi);
    out.end_node();
}

void put_image(FdtWriter &out, const ImageRecord &image, usize index) {
    out.begin_node("image", index);
    out.text("kind", name_of(image.kind));
    if (image.where)
        out.wide_cells("where", {image.where->value()});
    put_flag(out, "writable", image.writable);
    out.cell("blob", image.blob);
    out.wide_cells("size", {image.size_bytes});
    out.wide_cells("region", {image.region_bytes});
    out.text("source", image.source);
    out.end_node();
}

void put_vm(FdtWriter &out, const MachineDescription &vm, usize index) {
    out.begin_node("vm", index);
    out.text("name", vm.name);
    out.cell("vcpus", vm.vcpu_count);
    out.wide_cells("cpus", {vm.cpus});
    out.cell("priority", vm.priority);
    out.cells("budget-us", {vm.budget.budget_us, vm.budget.period_us});
    out.text("cmdline", vm.cmdline);
    if (vm.entry)
        out.wide_cells("entry", {vm.entry->value()});
    out.text("on-reset", name_of(vm.on_reset));
    out.text("on-panic", name_of(vm.on_panic));
    out.text("counter", name_of(vm.counter));
    put_flag(out, "pv-time", vm.pv_time);
    put_flag(out, "pci", vm.pci);
    out.text("pmu", name_of(vm.pmu));
    out.cells("timer-ppis", {vm.timer.secure_physical, vm.timer.physical, vm.timer.virtual_timer, vm.timer.hypervisor});
    if (const CpuTopology &cpus = vm.topology; cpus.sockets != 0) {
        out.cells("topology", {cpus.sockets, cpus.clusters, cpus.cores, cpus.threads});
        out.cells("caches", {vm.caches.l1_instruction, vm.caches.l1_data, vm.caches.l2, vm.caches.l3});
    }
    put_gic(out, vm.gic);
    for (usize i = 0; i < vm.memory.size(); ++i) {
        out.begin_node("memory", i);
        out.wide_cells("range", {vm.memory[i].base.value(), vm.memory[i].size_bytes});
        out.text("kind", name_of(vm.memory[i].kind));
        if (vm.memory[i].one_to_one)
            put_flag(out, "one-to-one", true);
        out.end_node();
    }
    for (usize i = 0; i < vm.passthrough.size(); ++i) {
        out.begin_node("passthrough", i);
        out.text("node", vm.passthrough[i].node);
        out.end_node();
    }
    for (usize i = 0; i < vm.devices.size(); ++i)
        put_device(out, vm.devices[i], i);
    for (usize i = 0; i < vm.images.size(); ++i)
        put_image(out, vm.images[i], i);
    if (vm.flash) {
        out.begin_node("flash");
        out.wide_cells("base", {vm.flash->base.value()});
        put_flag(out, "writable", vm.flash->writable);
        if (vm.flash->image)
            out.cell("image", *vm.flash->image);
        out.end_node();
    }
    for (usize i = 0; i < vm.shared.size(); ++i)
        put_shared(out, vm.shared[i], i);
    out.end_node();
}

} // namespace

std::string_view to_string(ManifestErrorKind kind) {
    switch (kind) {
    case ManifestErrorKind::not_a_tree: return "not a well-formed device tree";
    case ManifestErrorKind::bad_version: return "made by another version of the tool";
    case ManifestErrorKind::missing_property: return "a property is missing";
    case ManifestErrorKind::bad_property: return "a property has a wrong size or value";
    case ManifestErrorKind::unknown_node: return "a node of no known kind";
    case ManifestErrorKind::too_many: return "more nodes of a kind than are supported";
    case ManifestErrorKind::buffer_too_small: return "does not fit into its buffer";
    }
    return "unknown error";
}

Result<std::span<const u8>, ManifestError> encode_manifest(const SystemDescription &system, std::span<u8> buffer) {
    FdtWriter out(buffer);
    out.begin_node("");
    out.text("compatible", "sel4vm,system");
    out.cell("version", kManifestVersion);
    out.text("exit-method", name_of(system.exit_method));
    out.cell("time-slice-us", system.time_slice_us);
    out.text("log-level", name_of(system.log_level));
    out.text("console-prefix", name_of(system.console.prefix));
    out.text("console-input", system.console.input);
    out.cell("console-escape", system.console.escape);
    put_flag(out, "bench-report-setup", system.bench.report_setup);
    put_flag(out, "bench-report-exits", system.bench.report_exits);
    put_flag(out, "bench-skip-clearing", system.bench.skip_clearing);
    for (usize i = 0; i < system.vms.size(); ++i)
        put_vm(out, system.vms[i], i);
    for (usize i = 0; i < system.switches.size(); ++i) {
        out.begin_node("switch", i);
        out.text("name", system.switches[i].name);
        out.end_node();
    }
    out.end_node();
    const auto tree = out.finish();
    if (!tree)
        return Err{ManifestError{ManifestErrorKind::buffer_too_small, boot::to_string(tree.error())}};
    return *tree;
}

} // namespace sel4vm::machine
