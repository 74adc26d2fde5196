// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/disks.hpp>
#include <apps/sel4vm/drives.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <sel4vm/dev/virtio_slots.hpp>
#include <sel4vm/machine/arm/virt_devices.hpp>

namespace sel4vm::cli {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

/// The ranges of a description may be anything: no sum of theirs.
bool is_in(const machine::DeviceRecord &device, Gpa slot, u32 spi) {
    if (device.slot) // on PCI
        return false;
    const u64 base = device.registers.base.value();
    const bool before = base <= slot.value() && slot.value() - base < device.registers.size_bytes;
    const bool inside = base >= slot.value() && base - slot.value() < dev::VirtioSlots::kSlotBytes;
    return device.spi == spi || before || inside;
}

} // namespace

machine::DeviceRecord new_virtio(System &system, const machine::MachineDescription &vm, std::string_view type,
                                 std::string_view name) {
    machine::DeviceRecord record;
    record.kind = dev::find_kind(machine::virt_devices(), type);
    record.registers = {machine::kVirtioSlotsBase, record.kind->range_bytes};
    record.spi = machine::kVirtioSlotsSpi;
    record.console = machine::ConsoleRoute::none;
    const auto any = [&](auto is) { return std::any_of(vm.devices.begin(), vm.devices.end(), is); };
    for (u32 slot = 0; slot < dev::VirtioSlots::kSlots; ++slot) {
        const Gpa at{machine::kVirtioSlotsBase.value() + slot * dev::VirtioSlots::kSlotBytes};
        const u32 spi = machine::kVirtioSlotsSpi + slot;
        if (any([&](const machine::DeviceRecord &device) { return is_in(device, at, spi); }))
            continue;
        record.registers.base = at;
        record.spi = spi;
        break;
    }
    usize number = 0;
    do
        record.name = system.keep(fmt::format("{}{}", name, ++number));
    while (any([&](const machine::DeviceRecord &device) { return device.name == record.name; }));
    return record;
}

machine::DeviceRecord new_disk(System &system, const machine::MachineDescription &vm) {
    return new_virtio(system, vm, "virtio-blk", "disk");
}

void add_disk(System &system, usize vm, machine::DeviceRecord record, const DiskFile &file, Mistakes &mistakes) {
    using Writes = MachineDrive::Writes;
    auto &description = system.description.vms[vm];
    const bool qcow2 = is_qcow2(file.path);
    const bool of_machine = file.kept || qcow2;
    if (of_machine) {
        const Writes writes = file.read_only ? Writes::refused : file.kept ? Writes::kept : Writes::dropped;
        add_drive(system, record, {.path = file.path, .writes = writes, .qcow2 = qcow2, .origin = file.origin},
                  mistakes);
    } else {
        record.disk = static_cast<u32>(description.images.size());
    }
    if (description.devices.emplace_back(record) == nullptr) {
        mistakes.expected(file.origin, fmt::format("at most {} devices in a VM", machine::kMaxDevices));
        return;
    }
    if (of_machine)
        return;
    machine::ImageRecord image = image_record(machine::ImageKind::disk);
    image.writable = !file.read_only;
    system.add_image(vm, image, file.path, file.origin, mistakes);
}

std::optional<MacAddress> parse_mac(std::string_view text) {
    MacAddress mac;
    if (text.size() != 3 * mac.bytes.size() - 1)
        return std::nullopt;
    for (usize i = 0; i < mac.bytes.size(); ++i) {
        if (i > 0 && text[3 * i - 1] != ':')
            return std::nullopt;
        for (const char c : text.substr(3 * i, 2)) {
            const auto digit = kHexDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
            if (digit == std::string_view::npos)
                return std::nullopt;
            mac.bytes[i] = static_cast<u8>(u32{mac.bytes[i]} << 4 | static_cast<u32>(digit));
        }
    }
    return mac;
}

} // namespace sel4vm::cli
