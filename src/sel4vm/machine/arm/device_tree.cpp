// SPDX-License-Identifier: BSD-2-Clause
//
// See device_tree.hpp; the nodes of the parts are in device_nodes.cpp, a user's own tree in device_tree_adapt.cpp.
#include <sel4vm/machine/arm/device_tree.hpp>

#include <sel4vm/boot/fdt_check.hpp>
#include <sel4vm/machine/arm/device_nodes.hpp>
#include <sel4vm/machine/arm/shared_nodes.hpp>

#include <array>
#include <libfdt.h>

namespace sel4vm::machine {
namespace {

using boot::FdtWriter;

bool is_serial(const DeviceRecord &device) { return device.kind->role == dev::DeviceRole::serial; }

/// Where early messages go: the first serial device that reaches the host's console, else the first there is.
const DeviceRecord *console_of(const MachineDescription &vm) {
    const DeviceRecord *first = nullptr;
    for (const DeviceRecord &device : vm.devices) {
        if (!is_serial(device))
            continue;
        if (device.console == ConsoleRoute::host)
            return &device;
        first = first != nullptr ? first : &device;
    }
    return first;
}

void write_aliases(FdtWriter &out, const MachineDescription &vm) {
    static constexpr std::array<const char *, kMaxDevices> kSerial = {
        "serial0", "serial1", "serial2",  "serial3",  "serial4",  "serial5",  "serial6",  "serial7",
        "serial8", "serial9", "serial10", "serial11", "serial12", "serial13", "serial14", "serial15"};
    if (console_of(vm) == nullptr)
        return;
    out.begin_node("aliases");
    usize serial = 0;
    for (const DeviceRecord &device : vm.devices)
        if (is_serial(device))
            out.text(kSerial[serial++], device_path(device).view());
    out.end_node();
}

void write_chosen(FdtWriter &out, const MachineDescription &vm, const DeviceTreeInputs &inputs) {
    out.begin_node("chosen");
    if (!vm.cmdline.empty())
        out.text("bootargs", vm.cmdline);
    if (const DeviceRecord *console = console_of(vm))
        out.text("stdout-path", device_path(*console).view());
    if (inputs.initrd) {
        out.wide_cells("linux,initrd-start", {inputs.initrd->base().value()});
        out.wide_cells("linux,initrd-end", {inputs.initrd->end().value()});
    }
    std::array<u8, kRngSeedBytes> rng{};
    std::array<u8, kKaslrSeedBytes> kaslr{};
    if (inputs.entropy != nullptr && inputs.entropy->fill(rng) && inputs.entropy->fill(kaslr)) {
        out.bytes("rng-seed", rng);
        out.bytes("kaslr-seed", kaslr);
    }
    out.end_node();
}

} // namespace

Result<std::span<u8>, boot::FdtError> write_device_tree(const MachineDescription &vm, const DeviceTreeInputs &inputs,
                                                        std::span<u8> buffer) {
    FdtWriter out(buffer);
    out.begin_node("");
    out.cell("#address-cells", 2);
    out.cell("#size-cells", 2);
    out.texts("compatible", {"sel4vm,virt", "linux,dummy-virt"});
    out.text("model", "sel4vm virt");
    out.cell("interrupt-parent", kGicPhandle);
    write_aliases(out, vm);
    write_chosen(out, vm, inputs);
    write_psci_node(out, inputs.firmware);
    write_cpu_nodes(out, vm);
    write_memory_nodes(out, vm);
    write_timer_node(out, vm);
    if (inputs.pmu)
        write_pmu_node(out, vm);
    write_gic_node(out, vm);
    write_clock_node(out);
    if (vm.flash)
        write_flash_node(out, *vm.flash);
    if (has_fw_cfg(vm))
        write_fw_cfg_node(out);
    if (vm.pci)
        write_pci_node(out, vm);
    u32 phandle = kFirstDevicePhandle;
    for (const DeviceRecord &device : vm.devices) {
        if (!device.slot) // what is on PCI is found there
            write_device_node(out, device, phandle);
        ++phandle;
    }
    write_shared_nodes(out, vm);
    for (usize i = 0; i < inputs.passed.size() && i < vm.passthrough.size(); ++i)
        write_passed_node(out, inputs.host_tree, vm.passthrough[i].node, inputs.passed[i], static_cast<u32>(i));
    out.end_node();
    const auto tree = SEL4VM_TRY(out.finish());
    return buffer.first(tree.size());
}

FixedVector<std::span<u8>, 2> find_seeds(std::span<u8> tree) {
    FixedVector<std::span<u8>, 2> seeds;
    if (!boot::is_well_formed_fdt(tree))
        return seeds;
    const int chosen = fdt_path_offset(tree.data(), "/chosen");
    for (const char *name : {"rng-seed", "kaslr-seed"}) {
        int size = 0;
        const void *value = chosen >= 0 ? fdt_getprop(tree.data(), chosen, name, &size) : nullptr;
        if (value == nullptr || size <= 0)
            continue;
        // The tree is the caller's to write; libfdt's read interface only adds the const.
        const auto offset = static_cast<usize>(static_cast<const u8 *>(value) - tree.data());
        (void)seeds.emplace_back(tree.subspan(offset, static_cast<usize>(size))); // two names, two slots
    }
    return seeds;
}

} // namespace sel4vm::machine
