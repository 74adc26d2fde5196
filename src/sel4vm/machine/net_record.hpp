// SPDX-License-Identifier: BSD-2-Clause
//
// One VM's port at a network (docs/networks.md), and the networks of a system. Ports that name the same switch are at one network.
#pragma once

#include <sel4vm/dev/frame_switch/frame_switch.hpp>
#include <sel4vm/dev/net_options.hpp>

#include <optional>
#include <string_view>

namespace sel4vm::machine {

inline constexpr usize kMaxSwitches = 8;
inline constexpr usize kMaxSwitchPorts = dev::FrameSwitch::kMaxPorts;
inline constexpr u64 kMinNetLimit = 1000;

struct SwitchRecord {
    std::string_view name{};
    friend constexpr bool operator==(const SwitchRecord &, const SwitchRecord &) = default;
};

struct NetRecord {
    std::string_view network{};                   ///< the name of a switch
    std::optional<MacAddress> mac = std::nullopt; ///< none: default_mac()
    u16 mtu = 1500;
    u64 limit_bytes_per_second = 0; ///< of what the VM sends; 0: there is none
    bool isolated = false;          ///< other ports that are so, too, are out of its reach
    bool mac_filter = false;        ///< the VM sends with this address only
    friend constexpr bool operator==(const NetRecord &, const NetRecord &) = default;
};

/// Of device `device` of VM `vm`: locally administered, the same in each run, and another for each.
[[nodiscard]] constexpr MacAddress default_mac(usize vm, usize device) {
    return {{0x02, 's', '4', 0, static_cast<u8>(vm), static_cast<u8>(device + 1)}};
}
[[nodiscard]] constexpr MacAddress mac_of(const NetRecord &net, usize vm, usize device) {
    return net.mac.value_or(default_mac(vm, device));
}

} // namespace sel4vm::machine
