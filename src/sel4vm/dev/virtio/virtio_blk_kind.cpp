// SPDX-License-Identifier: BSD-2-Clause
//
// The block device over MMIO, on an image in the VMM's memory.
#include <sel4vm/dev/memory_disk/memory_disk.hpp>
#include <sel4vm/dev/virtio/virtio_blk.hpp>
#include <sel4vm/dev/virtio/virtio_kinds.hpp>

namespace sel4vm::dev {

namespace {

class VirtioImage final : public VirtioMmio {
public:
    explicit VirtioImage(const DeviceSite &site)
        : VirtioMmio(model_, site.line, virtio_site(site)), disk_(disk_of(site)), model_(disk_, site.name) {
        set_name(model_.name());
        model_.attach(function());
    }

private:
    static MemoryDisk disk_of(const DeviceSite &site) {
        if (site.writable_disk.empty())
            return MemoryDisk(site.disk, site.work);
        return MemoryDisk(site.writable_disk, site.work);
    }
    MemoryDisk disk_;
    VirtioBlk model_;
};

} // namespace

constinit const DeviceKind kVirtioBlk{
    .type = "virtio-blk",
    .role = DeviceRole::disk,
    .node = kVirtioNode,
    .range_bytes = VirtioMmio::kRangeBytes,
    .make = [](const DeviceSite &site) { return OwnedDevice::make<VirtioImage>(site.allocator, site); }};

} // namespace sel4vm::dev
