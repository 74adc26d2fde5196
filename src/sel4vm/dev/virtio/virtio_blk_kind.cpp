// SPDX-License-Identifier: BSD-2-Clause
//
// The block device, on an image in the VMM's memory or on a disk of the machine.
#include <sel4vm/dev/memory_disk/memory_disk.hpp>
#include <sel4vm/dev/virtio/virtio_blk.hpp>
#include <sel4vm/dev/virtio/virtio_kinds.hpp>
#include <sel4vm/dev/virtio/virtio_pci.hpp>

#include <optional>

namespace sel4vm::dev {

namespace {

/// The model with a disk behind it: made before its transport, to whose function it is attached then.
class Drive {
public:
    explicit Drive(const DeviceSite &site) : model_(disk_of(site), site.name) {}
    [[nodiscard]] VirtioBlk &model() { return model_; }

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

class MmioDrive final : private Drive, public VirtioMmio {
public:
    explicit MmioDrive(const DeviceSite &site) : Drive(site), VirtioMmio(model(), site.line, virtio_site(site)) {
        set_name(model().name());
        model().attach(function());
    }
};

class PciDrive final : private Drive, public VirtioPci {
public:
    PciDrive(const DeviceSite &site, PciPlace place)
        : Drive(site), VirtioPci(model(), place, virtio_site(site), kType) {
        model().attach(function());
    }

private:
    static constexpr VirtioPciType kType{.device_id = 2, .queues = 1, .class_code = 0x01'0000};
};

} // namespace

constinit const DeviceKind kVirtioBlk{
    .type = "virtio-blk",
    .role = DeviceRole::disk,
    .node = kVirtioNode,
    .range_bytes = VirtioMmio::kRangeBytes,
    .make = [](const DeviceSite &site) { return OwnedDevice::make<MmioDrive>(site.allocator, site); },
    .make_function = [](const DeviceSite &site,
                        PciPlace place) { return OwnedFunction::make<PciDrive>(site.allocator, site, place); }};

} // namespace sel4vm::dev
