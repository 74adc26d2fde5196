// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_kinds.hpp>

#include <sel4vm/dev/virtio/virtio_pci.hpp>
#include <sel4vm/dev/virtio/virtio_rng.hpp>

namespace sel4vm::dev {

constinit const DeviceKind kVirtioRng{
    .type = "virtio-rng",
    .node = kVirtioNode,
    .range_bytes = VirtioMmio::kRangeBytes,
    .make =
        [](const DeviceSite &site) {
            return OwnedDevice::make<VirtioOnMmio<VirtioRng>>(site.allocator, site.line, virtio_site(site),
                                                              site.entropy);
        },
    .make_function =
        [](const DeviceSite &site, PciPlace place) {
            constexpr VirtioPciType kType{.device_id = 4, .queues = 1, .class_code = 0xff'0000};
            return OwnedFunction::make<VirtioOnPci<VirtioRng>>(site.allocator, place, virtio_site(site), kType,
                                                               site.entropy);
        }};

} // namespace sel4vm::dev
