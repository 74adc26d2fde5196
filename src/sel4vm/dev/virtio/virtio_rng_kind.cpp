// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_kinds.hpp>

#include <sel4vm/dev/virtio/virtio_rng.hpp>

namespace sel4vm::dev {

constinit const DeviceKind kVirtioRng{.type = "virtio-rng",
                                      .node = kVirtioNode,
                                      .range_bytes = VirtioMmio::kRangeBytes,
                                      .make = [](const DeviceSite &site) {
                                          return OwnedDevice::make<VirtioOnMmio<VirtioRng>>(
                                              site.allocator, site.line, virtio_site(site), site.entropy);
                                      }};

} // namespace sel4vm::dev
