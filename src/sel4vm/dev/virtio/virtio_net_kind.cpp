// SPDX-License-Identifier: BSD-2-Clause
//
// The network device, at the network that its machine gives it.
#include <sel4vm/dev/virtio/virtio_kinds.hpp>
#include <sel4vm/dev/virtio/virtio_net.hpp>
#include <sel4vm/dev/virtio/virtio_pci.hpp>

namespace sel4vm::dev {

namespace {

/// The model, made before its transport, to whose function it is attached then.
class NetModel {
public:
    explicit NetModel(const DeviceSite &site) : model_(site.net, site.clock, site.timeouts) {}
    [[nodiscard]] VirtioNet &model() { return model_; }

private:
    VirtioNet model_;
};

class MmioNet final : private NetModel, public VirtioMmio {
public:
    explicit MmioNet(const DeviceSite &site) : NetModel(site), VirtioMmio(model(), site.line, virtio_site(site)) {
        set_name(model().name());
        model().attach(function());
    }
    ~MmioNet() { model().leave(); }
};

class PciNet final : private NetModel, public VirtioPci {
public:
    PciNet(const DeviceSite &site, PciPlace place)
        : NetModel(site), VirtioPci(model(), place, virtio_site(site), kType) {
        model().attach(function());
    }
    ~PciNet() { model().leave(); }

private:
    static constexpr VirtioPciType kType{.device_id = 1, .queues = 3, .class_code = 0x02'0000};
};

} // namespace

constinit const DeviceKind kVirtioNet{
    .type = "virtio-net",
    .role = DeviceRole::network,
    .node = kVirtioNode,
    .range_bytes = VirtioMmio::kRangeBytes,
    .make = [](const DeviceSite &site) { return OwnedDevice::make<MmioNet>(site.allocator, site); },
    .make_function = [](const DeviceSite &site,
                        PciPlace place) { return OwnedFunction::make<PciNet>(site.allocator, site, place); }};

} // namespace sel4vm::dev
