// SPDX-License-Identifier: BSD-2-Clause
//
// The network device over MMIO, at the network that its machine gives it.
#include <sel4vm/dev/virtio/virtio_kinds.hpp>
#include <sel4vm/dev/virtio/virtio_net.hpp>

namespace sel4vm::dev {

namespace {

class VirtioNetDevice final : public VirtioMmio {
public:
    explicit VirtioNetDevice(const DeviceSite &site)
        : VirtioMmio(model_, site.line, virtio_site(site)), model_(site.net, site.clock, site.timeouts) {
        set_name(model_.name());
        model_.attach(function());
    }

private:
    VirtioNet model_;
};

} // namespace

constinit const DeviceKind kVirtioNet{
    .type = "virtio-net",
    .role = DeviceRole::network,
    .node = kVirtioNode,
    .range_bytes = VirtioMmio::kRangeBytes,
    .make = [](const DeviceSite &site) { return OwnedDevice::make<VirtioNetDevice>(site.allocator, site); }};

} // namespace sel4vm::dev
