// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/pci.hpp>
#include <apps/sel4vm/vm_reader.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace sel4vm::cli {

namespace {
bool is_on_pci(const machine::DeviceRecord &device) { return device.slot.has_value(); }
} // namespace

void read_transport(TomlReader &table, const std::string &key, System &system, machine::DeviceRecord &record,
                    Mistakes &mistakes) {
    const auto transport = table.choice("transport");
    if (const auto slot = table.number("slot"))
        record.slot = static_cast<u8>(slot->value);
    note(table, "slot", system, key + ".slot");
    if (transport && transport->value == 1 && !record.slot)
        record.slot = kAnySlot;
    if (transport && transport->value == 0 && record.slot)
        mistakes.add(table.origin("slot"), "is only possible with transport \"pci\"");
    if (!record.slot)
        return;
    for (const char *other : {"address", "irq", "size", "trigger"})
        if (table.has(other))
            mistakes.add(table.origin(other), "is not possible for a device on PCI, which finds its place by itself");
}

void finish_pci(System &system, usize vm) {
    machine::MachineDescription &description = system.description.vms[vm];
    auto &devices = description.devices;
    for (machine::DeviceRecord &device : devices) {
        for (u8 slot = 1; device.slot == kAnySlot && slot <= machine::kMostPciSlot; ++slot)
            if (std::none_of(devices.begin(), devices.end(), [slot](const auto &other) { return other.slot == slot; }))
                device.slot = slot;
    }
    const std::string key = fmt::format("vm[{}]", vm);
    if (system.written(key + ".pci") == nullptr)
        description.pci = std::any_of(devices.begin(), devices.end(), is_on_pci);
    machine::MsiRecord &msi = description.gic.msi;
    if (description.pci && system.written(key + ".gic.msi") == nullptr)
        msi.kind = description.gic.version == machine::GicVersion::v3 ? machine::MsiKind::its : machine::MsiKind::v2m;
}

} // namespace sel4vm::cli
