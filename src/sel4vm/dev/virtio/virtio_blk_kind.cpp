// SPDX-License-Identifier: BSD-2-Clause
//
// The block device over MMIO, on an image in the VMM's memory or on a disk of the machine.
#include <sel4vm/dev/memory_disk/memory_disk.hpp>
#include <sel4vm/dev/virtio/virtio_blk.hpp>
#include <sel4vm/dev/virtio/virtio_kinds.hpp>

#include <optional>

namespace sel4vm::dev {

namespace {

class VirtioDrive final : public VirtioMmio {
public:
    explicit VirtioDrive(const DeviceSite &site)
        : VirtioMmio(model_, site.line, virtio_site(site)), model_(disk_of(site), site.name) {
        set_name(model_.name());
        model_.attach(function());
    }

private:
    BlockDevice &disk_of(const DeviceSite &site) {
        if (site.machine_disk != nullptr)
            return *site.machine_disk;
        if (site.writable_disk.empty())
            return image_.emplace(site.disk, site.work);
        return image_.emplace(site.writable_disk, site.work);
    }
    std::optional<MemoryDisk> image_;
    VirtioBlk model_;
};

} // namespace

constinit const DeviceKind kVirtioBlk{
    .type = "virtio-blk",
    .role = DeviceRole::disk,
    .node = kVirtioNode,
    .range_bytes = VirtioMmio::kRangeBytes,
    .make = [](const DeviceSite &site) { return OwnedDevice::make<VirtioDrive>(site.allocator, site); }};

} // namespace sel4vm::dev
