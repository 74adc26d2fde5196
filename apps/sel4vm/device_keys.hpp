// SPDX-License-Identifier: BSD-2-Clause
//
// The keys of a VM's devices, which system_keys.cpp has among all others: tables that nobody else sees.
#pragma once

#include <apps/sel4vm/system_keys.hpp>

#include <array>
#include <sel4vm/machine/arm/virt_devices.hpp>
#include <sel4vm/machine/names.hpp>
#include <string_view>
#include <vector>

namespace sel4vm::cli {
namespace {

using machine::Names;

constexpr std::string_view kFile = "the path of a file, relative to this one";
constexpr std::string_view kVmName = "a letter, then letters, digits, '-' and '_', at most 31";

constexpr std::array kBlockKeys{
    Key{.name = "address", .form = Form::address, .help = "Where its registers are."},
    Key{.name = "size", .form = Form::size, .help = "Of its registers."},
};
constexpr KeyTable kBlock{"block", kBlockKeys};

constexpr Key kDeviceIrq{.name = "irq",
                         .form = Form::number,
                         .help = "Shared interrupt number; 0 is INTID 32.",
                         .highest = machine::kMaxSpis - 1};
constexpr Key kDeviceTrigger{.name = "trigger",
                             .form = Form::choice,
                             .help = "How its interrupt is triggered (default level).",
                             .choices = Names<Trigger>::list};
constexpr Key kDeviceConsole{.name = "console",
                             .form = Form::choice,
                             .help = "Of a serial port: whether it is connected to the host's console.",
                             .choices = Names<machine::ConsoleRoute>::list};

constexpr std::array<std::string_view, 2> kTransports{"mmio", "pci"};
constexpr Key kDeviceTransport{
    .name = "transport",
    .form = Form::choice,
    .help = "Of virtio devices: registers at an address, or a function of the VM's PCI bus (default mmio).",
    .choices = kTransports};
constexpr Key kDeviceSlot{.name = "slot",
                          .form = Form::number,
                          .help = "Of a device on PCI: its place on the bus (default: the first that is free).",
                          .lowest = 1,
                          .highest = machine::kMostPciSlot};

constexpr Key required(Key key) {
    key.presence = Presence::required;
    return key;
}

constexpr std::array kUartKeys{kBlockKeys[0], kBlockKeys[1], kDeviceIrq, kDeviceTrigger, kDeviceConsole};
constexpr KeyTable kUart{"uart", kUartKeys};
constexpr std::array kRtcKeys{kBlockKeys[0], kBlockKeys[1], kDeviceIrq, kDeviceTrigger};
constexpr KeyTable kRtc{"rtc", kRtcKeys};
/// The types of devices that the machine knows; disks and networks have tables of their own, [[vm.disk]] and [[vm.net]].
const std::vector<std::string_view> kDeviceTypes = [] {
    std::vector<std::string_view> types;
    for (const dev::DeviceKind *kind : machine::virt_devices())
        if (kind->role != dev::DeviceRole::disk && kind->role != dev::DeviceRole::network)
            types.push_back(kind->type);
    return types;
}();
const std::array kDeviceKeys{
    Key{.name = "type",
        .form = Form::choice,
        .help = "What it is; docs/devices.md describes each.",
        .choices = kDeviceTypes,
        .presence = Presence::required},
    Key{.name = "name",
        .form = Form::name,
        .help = "Its own in the VM.",
        .expected = kVmName,
        .pattern = kNamePattern,
        .presence = Presence::required},
    kBlockKeys[0],
    kBlockKeys[1],
    kDeviceIrq,
    kDeviceTrigger,
    kDeviceConsole,
    kDeviceTransport,
    kDeviceSlot,
};
constexpr KeyTable kDevice{"device", kDeviceKeys};

constexpr std::array kDiskKeys{
    Key{.name = "path",
        .form = Form::name,
        .help = "The file: whole sectors of 512 bytes, or in QEMU's format qcow2 for 'sel4vm run'.",
        .expected = kFile},
    Key{.name = "machine",
        .form = Form::name,
        .help =
            "Instead of a file: the disk of the machine that tells this as its name (a virtio disk's serial number).",
        .expected = "the name of a disk: 1 to 20 characters"},
    Key{.name = "keep",
        .form = Form::flag,
        .help = "true: what the guest writes goes into the file; 'sel4vm run' only (default false)."},
    Key{.name = "name",
        .form = Form::name,
        .help = "Its own among the VM's devices; what the guest sees as its serial number (default disk1, disk2, ...).",
        .expected = kVmName,
        .pattern = kNamePattern},
    Key{.name = "read_only",
        .form = Form::flag,
        .help = "true: the guest may not write it; false: what it writes is gone at the end, unless it is kept "
                "(default false)."},
    Key{.name = "address",
        .form = Form::address,
        .help = "Where its registers are (default: the first free slot of the board from 0x0a000000 on)."},
    Key{.name = "irq",
        .form = Form::number,
        .help = "Shared interrupt number; 0 is INTID 32 (default: that of the slot, 16 and up).",
        .highest = machine::kMaxSpis - 1},
    kDeviceTransport,
    kDeviceSlot,
};
constexpr KeyTable kDisk{"disk", kDiskKeys};

constexpr std::array kNetKeys{
    Key{.name = "switch",
        .form = Form::name,
        .help = "The [[switch]] that it is at: the VM sees the others there.",
        .expected = "the name of a switch",
        .pattern = kNamePattern,
        .presence = Presence::required},
    Key{.name = "name",
        .form = Form::name,
        .help = "Its own among the VM's devices (default net1, net2, ...).",
        .expected = kVmName,
        .pattern = kNamePattern},
    Key{.name = "mac",
        .form = Form::name,
        .help = "Its address (default: one of its own, from the numbers of the VM and the device).",
        .expected = "an address such as \"02:00:00:00:00:01\"",
        .pattern = "^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$"},
    Key{.name = "mtu",
        .form = Form::number,
        .help = "Bytes of a frame behind its header (default 1500).",
        .lowest = dev::NetOptions::kMinMtu,
        .highest = dev::NetOptions::kMaxMtu},
    Key{.name = "limit",
        .form = Form::size,
        .help = "Bytes that the VM may send in a second, such as \"10M\"; the rest waits (default: no limit)."},
    Key{.name = "isolated",
        .form = Form::flag,
        .help = "true: it and other isolated ones do not see each other (default false)."},
    Key{.name = "mac_filter",
        .form = Form::flag,
        .help = "true: frames that say that they come from another address are dropped (default false)."},
    Key{.name = "address",
        .form = Form::address,
        .help = "Where its registers are (default: the first free slot of the board from 0x0a000000 on)."},
    Key{.name = "irq",
        .form = Form::number,
        .help = "Shared interrupt number; 0 is INTID 32 (default: that of the slot, 16 and up).",
        .highest = machine::kMaxSpis - 1},
    kDeviceTransport,
    kDeviceSlot,
};
constexpr KeyTable kNet{"net", kNetKeys};

} // namespace
} // namespace sel4vm::cli
