// SPDX-License-Identifier: BSD-2-Clause
#include <apps/vmm/machine_disks.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>

namespace sel4vm::vmm {

namespace {
constexpr u32 kDiskId = 2;
constexpr u64 kMostSecondsForName = 5;
using drivers::VirtioDisk;
} // namespace

bool MachineDisks::is_wanted() const {
    return std::any_of(system_.vms.begin(), system_.vms.end(), [](const machine::MachineDescription &vm) {
        return std::any_of(vm.devices.begin(), vm.devices.end(),
                           [](const machine::DeviceRecord &device) { return !device.machine_disk.empty(); });
    });
}

std::string_view MachineDisks::wanted(std::string_view name) const {
    for (const machine::MachineDescription &vm : system_.vms)
        for (const machine::DeviceRecord &device : vm.devices)
            if (!name.empty() && device.machine_disk == name)
                return device.machine_disk;
    return {};
}

bool MachineDisks::is_passed_on(const el2::VirtioNode &node) const {
    return std::any_of(system_.vms.begin(), system_.vms.end(), [&](const machine::MachineDescription &vm) {
        return std::any_of(vm.passthrough.begin(), vm.passthrough.end(), [&](const machine::PassthroughRecord &record) {
            const auto passed = host_.tree().find(record.node);
            return passed && passed->offset == node.node.offset;
        });
    });
}

bool MachineDisks::open() {
    if (!is_wanted())
        return true;
    for (auto node = el2::next_virtio_node(host_.tree()); node; node = el2::next_virtio_node(host_.tree(), node->node))
        if (!is_passed_on(*node) && !look_at(*node))
            return false;
    return all_there();
}

bool MachineDisks::out_of_memory() const {
    log_.line(LogLevel::error, "host", "not enough memory for the machine's disks");
    return false;
}

// Slots share pages: they are mapped once, and those that are mapped stay.
bool MachineDisks::look_at(const el2::VirtioNode &node) {
    const u64 base = align_down(node.registers.base().value(), kPageBytes);
    const auto pages = HostPhysRange::make(HostPhys{base}, *align_up(node.registers.end().value(), kPageBytes) - base);
    if (!pages || !host_.map().map(*pages, el2::HostMemory::device))
        return out_of_memory();
    el2::MmioRegisters registers(node.registers.base());
    drivers::VirtioTransport transport(registers);
    const drivers::VirtioSlot slot = transport.slot();
    if (slot == drivers::VirtioSlot::empty || transport.device_id() != kDiskId)
        return true;
    if (slot == drivers::VirtioSlot::legacy) {
        ++legacy_;
        return true;
    }
    constexpr u64 kBytes = (VirtioDisk::memory_bytes() + kPageBytes - 1) / kPageBytes * kPageBytes;
    if (!memory_)
        memory_ = host_.pages().allocate(kBytes);
    if (!memory_)
        return out_of_memory();
    // SAFETY: the host's memory is mapped at its own address.
    const DriverMemory memory{{reinterpret_cast<u8 *>(memory_->value()), kBytes}, memory_->value()};
    auto disk = Owned<Disk>::make(host_.heap(), node.registers.base(), memory);
    return disk ? take(std::move(disk), node) : out_of_memory();
}

// One that nobody wants is reset again when it is forgotten here.
bool MachineDisks::take(Owned<Disk> disk, const el2::VirtioNode &node) {
    VirtioDisk &driver = disk->driver();
    const VirtioDisk::Opened opened = driver.open();
    if (opened != VirtioDisk::Opened::done) {
        Text<120> text;
        text << "a disk of the machine cannot be used: " << drivers::to_string(opened);
        log_.line(LogLevel::warning, "host", text.view());
        return true;
    }
    Clock &clock = host_.clock();
    const u64 deadline = clock.now_ticks() + kMostSecondsForName * clock.ticks_per_second();
    disk->name = wanted(driver.read_id([&] { return clock.now_ticks() < deadline; }));
    if (disk->name.empty())
        return true;
    if (find(disk->name) != nullptr) {
        Text<120> text;
        text << "the machine has several disks '" << disk->name << "': the first is used";
        log_.line(LogLevel::warning, "host", text.view());
        return true;
    }
    memory_.reset();
    host_.interrupts().attach(node.irq, *disk);
    return disks_.emplace_back(std::move(disk)) != nullptr; // no more are wanted than there is room for
}

MachineDisks::Disk *MachineDisks::find(std::string_view name) const {
    const auto found =
        std::find_if(disks_.begin(), disks_.end(), [name](const Owned<Disk> &disk) { return disk->name == name; });
    return found == disks_.end() ? nullptr : found->get();
}

bool MachineDisks::all_there() const {
    for (const machine::MachineDescription &vm : system_.vms) {
        for (const machine::DeviceRecord &device : vm.devices) {
            if (device.machine_disk.empty() || find(device.machine_disk) != nullptr)
                continue;
            Text<240> text;
            text << "devices." << device.name << ".machine: the machine has no disk '" << device.machine_disk << "'";
            if (legacy_ != 0)
                text << "; it has " << legacy_ << " of the version before virtio 1.0, which are not driven";
            log_.line(LogLevel::error, vm.name, text.view());
            return false;
        }
    }
    return true;
}

BlockDevice *MachineDisks::give_disk(std::string_view name, DiskAccess access, WorkTurns &turns) {
    Disk *const disk = find(name);
    return disk != nullptr && disk->driver().connect(turns, access) ? &disk->driver() : nullptr;
}

void MachineDisks::take_disk_back(std::string_view name) {
    if (Disk *const disk = find(name))
        disk->driver().disconnect();
}

} // namespace sel4vm::vmm
