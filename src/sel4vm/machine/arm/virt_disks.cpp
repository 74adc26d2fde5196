// SPDX-License-Identifier: BSD-2-Clause
//
// What is behind a VM's disks: an image of the bundle, or a disk of the machine.
#include <sel4vm/machine/arm/virt_machine.hpp>

#include <algorithm>

namespace sel4vm::machine {

Status<BuildError> VirtMachine::give_disk(const DeviceRecord &record, Device &device, dev::DeviceSite &site,
                                          std::string_view key) {
    if (record.kind->role != dev::DeviceRole::disk)
        return Ok{};
    return record.machine_disk.empty() ? give_image(record, device, site, key)
                                       : give_machine_disk(record, device, site, key);
}

// One that may be written is copied once: the image stays as it is for a VM that is built anew, and for others that have it.
Status<BuildError> VirtMachine::give_image(const DeviceRecord &record, Device &device, dev::DeviceSite &site,
                                           std::string_view key) {
    if (!record.disk || *record.disk >= description_.images.size())
        return Err{build_error(key, "it has no image")};
    const ImageRecord &image = description_.images[*record.disk];
    if (image.blob >= blobs_.size() || blobs_[image.blob].size() != image.size_bytes)
        return Err{build_error(key, "the bundle lacks its bytes")};
    site.disk = blobs_[image.blob];
    if (!image.writable)
        return Ok{};
    device.disk = OwnedArray<u8>::make(host_.allocator, site.disk.size());
    if (!device.disk)
        return Err{build_error(key, "the host has not enough memory left for what is written to it")};
    site.writable_disk = device.disk.view();
    std::copy(site.disk.begin(), site.disk.end(), site.writable_disk.begin());
    return Ok{};
}

Status<BuildError> VirtMachine::give_machine_disk(const DeviceRecord &record, Device &device, dev::DeviceSite &site,
                                                  std::string_view key) {
    const DiskAccess access = record.read_only ? DiskAccess::read_only : DiskAccess::read_write;
    if (host_.disks != nullptr)
        site.machine_disk = host_.disks->give_disk(record.machine_disk, access, work_);
    if (site.machine_disk == nullptr)
        return Err{build_error(key, "this host has no such disk of its machine")};
    device.machine_disk = record.machine_disk;
    return Ok{};
}

void VirtMachine::take_disks_back() {
    for (const Device &device : devices_)
        if (!device.machine_disk.empty())
            host_.disks->take_disk_back(device.machine_disk);
}

} // namespace sel4vm::machine
