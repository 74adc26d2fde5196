// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/validate_disks.hpp>

#include <algorithm>

namespace sel4vm::machine {

namespace {

using Key = ValidationReport::Key;

Key key_of(usize vm, const DeviceRecord &device, const char *part) {
    Key key;
    key << "vm[" << u64{vm} << "].devices." << device.name << part;
    return key;
}

/// It is printed, and compared with what the disk tells.
bool is_machine_disk_name(std::string_view name) {
    return name.size() <= kMaxMachineDiskNameBytes &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

/// The first disk before `end` that is this one of the machine.
const DeviceRecord *first_with(const MachineDescription &vm, std::string_view name, const DeviceRecord *end) {
    for (const DeviceRecord &device : vm.devices) {
        if (&device == end)
            break;
        if (device.machine_disk == name)
            return &device;
    }
    return nullptr;
}

} // namespace

void check_disk(const MachineDescription &vm, usize index, const DeviceRecord &device, ValidationReport &report) {
    const bool is_disk = device.kind != nullptr && device.kind->role == dev::DeviceRole::disk;
    const bool is_known = device.kind != &dev::kUnmadeKind;
    if (!device.machine_disk.empty()) {
        const Key key = key_of(index, device, ".machine");
        if (!is_disk && is_known)
            report.add(key, device.machine_disk, "no disk for a device that is none");
        else if (device.disk)
            report.add(key, device.machine_disk, "no disk of the machine for one that has an image");
        else if (!is_machine_disk_name(device.machine_disk))
            report.add(key, device.machine_disk, "1 to ", u64{kMaxMachineDiskNameBytes},
                       " printable characters without spaces");
        return;
    }
    const Key key = key_of(index, device, ".disk");
    if (!device.disk) {
        if (is_disk)
            report.add(key, "none", "an image of a disk");
        return;
    }
    if (!is_disk && is_known)
        report.add(key, *device.disk, "no image for a device that is no disk");
    else if (*device.disk >= vm.images.size() || vm.images[*device.disk].kind != ImageKind::disk)
        report.add(key, *device.disk, "an image of a disk");
}

void check_machine_disks(const SystemDescription &system, ValidationReport &report) {
    usize count = 0;
    for (usize i = 0; i < system.vms.size(); ++i) {
        for (const DeviceRecord &device : system.vms[i].devices) {
            if (device.machine_disk.empty())
                continue;
            if (++count == kMaxMachineDisks + 1)
                report.add(key_of(i, device, ".machine"), device.machine_disk, "at most ", u64{kMaxMachineDisks},
                           " disks of the machine in a system");
            for (usize j = 0; j <= i; ++j) {
                const DeviceRecord *const first = first_with(system.vms[j], device.machine_disk, &device);
                if (first == nullptr)
                    continue;
                report.add(key_of(i, device, ".machine"), device.machine_disk, "a disk that no other has").other =
                    key_of(j, *first, ".machine");
                break;
            }
        }
    }
}

} // namespace sel4vm::machine
