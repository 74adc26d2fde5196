// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/net_validation.hpp>

namespace sel4vm::machine {

namespace {

using Key = ValidationReport::Key;

/// As people write one.
struct Shown {
    MacAddress mac;
};
TextWriter &operator<<(TextWriter &out, Shown shown) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (usize i = 0; i < shown.mac.bytes.size(); ++i) {
        const u8 byte = shown.mac.bytes[i];
        out << (i == 0 ? "" : ":") << kDigits.substr(byte >> 4, 1) << kDigits.substr(byte & 15, 1);
    }
    return out;
}

Key net_key(usize vm, const DeviceRecord &device, std::string_view end) {
    Key key;
    key << "vm[" << u64{vm} << "].devices." << device.name << end;
    return key;
}

struct Port {
    usize vm;
    const DeviceRecord *device;
    MacAddress mac;
};

/// Calls `visit` for each port of each VM, in their order.
template <class Visit>
void for_each_port(const SystemDescription &system, Visit visit) {
    for (usize vm = 0; vm < system.vms.size(); ++vm) {
        const auto &devices = system.vms[vm].devices;
        for (usize i = 0; i < devices.size(); ++i)
            if (devices[i].net)
                visit(Port{vm, &devices[i], mac_of(*devices[i].net, vm, i)});
    }
}

void check_switches(const SystemDescription &system, ValidationReport &report) {
    for (usize i = 0; i < system.switches.size(); ++i) {
        const SwitchRecord &record = system.switches[i];
        Key key;
        key << "switch[" << u64{i} << "].name";
        if (!is_name(record.name))
            report.add(key, record.name, kNameRule);
        for (usize j = 0; j < i; ++j)
            if (system.switches[j].name == record.name) {
                Key other;
                other << "switch[" << u64{j} << "].name";
                report.add(key, record.name, "a name of its own for each switch").other = other;
            }
    }
}

void check_port(const SystemDescription &system, const Port &port, ValidationReport &report) {
    const std::string_view network = port.device->net->network;
    bool declared = false;
    for (const SwitchRecord &record : system.switches)
        declared = declared || record.name == network;
    if (!declared)
        report.add(net_key(port.vm, *port.device, ".switch"), network, "the name of a switch");
    bool before = true; // of the ports that are visited
    usize ports = 0;
    for_each_port(system, [&](const Port &other) {
        before = before && other.device != port.device;
        if (!before || other.device->net->network != network)
            return;
        ++ports;
        if (other.mac == port.mac)
            report
                .add(net_key(port.vm, *port.device, ".mac"), Shown{port.mac},
                     "an address of its own for each port of a switch")
                .other = net_key(other.vm, *other.device, ".mac");
    });
    if (ports == kMaxSwitchPorts)
        report.add(net_key(port.vm, *port.device, ".switch"), network, "a switch with at most ", u64{kMaxSwitchPorts},
                   " ports");
}

} // namespace

void check_net_of(const MachineDescription &vm, usize vm_index, ValidationReport &report) {
    for (const DeviceRecord &device : vm.devices) {
        const bool is_network = device.kind != nullptr && device.kind->role == dev::DeviceRole::network;
        if (!device.net) {
            if (is_network)
                report.add(net_key(vm_index, device, ".switch"), "none", "the name of a switch");
            continue;
        }
        const NetRecord &net = *device.net;
        if (!is_network && device.kind != &dev::kUnmadeKind)
            report.add(net_key(vm_index, device, ".switch"), net.network, "no switch for a device that has no network");
        if (!is_name(net.network))
            report.add(net_key(vm_index, device, ".switch"), net.network, kNameRule);
        if (net.mac && (net.mac->is_group() || net.mac->value() == 0))
            report.add(net_key(vm_index, device, ".mac"), Shown{*net.mac},
                       "an address of one station: the lowest bit of its first byte is 0");
        if (net.mtu < dev::NetOptions::kMinMtu || net.mtu > dev::NetOptions::kMaxMtu)
            report.add(net_key(vm_index, device, ".mtu"), u32{net.mtu}, u32{dev::NetOptions::kMinMtu}, " to ",
                       u32{dev::NetOptions::kMaxMtu});
        if (net.limit_bytes_per_second != 0 && net.limit_bytes_per_second < kMinNetLimit)
            report.add(net_key(vm_index, device, ".limit"), net.limit_bytes_per_second, "at least ", kMinNetLimit,
                       " bytes a second");
    }
}

void check_nets_between(const SystemDescription &system, ValidationReport &report) {
    check_switches(system, report);
    for_each_port(system, [&](const Port &port) { check_port(system, port, report); });
}

} // namespace sel4vm::machine
