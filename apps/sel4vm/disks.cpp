// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/disks.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <sel4vm/dev/virtio_slots.hpp>
#include <sel4vm/machine/arm/virt_devices.hpp>

namespace sel4vm::cli {

namespace {

/// The ranges of a description may be anything: no sum of theirs.
bool is_in(const machine::DeviceRecord &device, Gpa slot, u32 spi) {
    const u64 base = device.registers.base.value();
    const bool before = base <= slot.value() && slot.value() - base < device.registers.size_bytes;
    const bool inside = base >= slot.value() && base - slot.value() < dev::VirtioSlots::kSlotBytes;
    return device.spi == spi || before || inside;
}

} // namespace

machine::DeviceRecord new_disk(System &system, const machine::MachineDescription &vm) {
    machine::DeviceRecord record;
    record.kind = dev::find_kind(machine::virt_devices(), "virtio-blk");
    record.registers = {machine::kVirtioSlotsBase, record.kind->range_bytes};
    record.spi = machine::kVirtioSlotsSpi;
    record.console = machine::ConsoleRoute::none;
    record.disk = static_cast<u32>(vm.images.size());
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
        record.name = system.keep(fmt::format("disk{}", ++number));
    while (any([&](const machine::DeviceRecord &device) { return device.name == record.name; }));
    return record;
}

} // namespace sel4vm::cli
