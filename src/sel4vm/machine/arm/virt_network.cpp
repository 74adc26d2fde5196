// SPDX-License-Identifier: BSD-2-Clause
//
// Network devices of a VM: each a port of a switch that other VMs are at, too.
#include <sel4vm/machine/arm/virt_machine.hpp>

namespace sel4vm::machine {

Status<BuildError> VirtMachine::give_network(const DeviceRecord &record, Device &device, dev::DeviceSite &site,
                                             std::string_view key) {
    if (record.kind->role != dev::DeviceRole::network)
        return Ok{};
    if (!record.net)
        return Err{build_error(key, "it has no switch")};
    if (host_.networks == nullptr)
        return Err{build_error(key, "guests of this program have no networks")};
    const NetRecord &net = *record.net;
    const MacAddress mac = mac_of(net, host_.id.value(), devices_.size() - 1);
    auto joined =
        host_.networks->join(net.network, {.mac = mac, .isolated = net.isolated, .mac_filter = net.mac_filter});
    if (!joined)
        return Err{build_error(key, to_string(joined.error()))};
    device.network = *std::move(joined);
    site.net = {.network = device.network.port(),
                .mac = mac,
                .mtu = net.mtu,
                .limit_bytes_per_second = net.limit_bytes_per_second,
                .fixed_mac = net.mac_filter};
    vm_.set_rung_by_others();
    return Ok{};
}

} // namespace sel4vm::machine
