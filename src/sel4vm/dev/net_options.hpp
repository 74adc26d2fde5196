// SPDX-License-Identifier: BSD-2-Clause
//
// What a network device is told of its network, whatever type of device it is.
//
// Threads: none of its own.
#pragma once

#include <sel4vm/host/net_device.hpp>

namespace sel4vm::dev {

struct NetOptions {
    /// Bytes behind a frame's header: what IPv4 needs at least (RFC 791), and what a frame may take of a step.
    static constexpr u16 kMinMtu = 68;
    static constexpr u16 kMaxMtu = 9000;

    NetDevice *network = nullptr; ///< required; outlives the device
    MacAddress mac{};
    u16 mtu = 1500;
    u64 limit_bytes_per_second = 0; ///< of what it sends; 0: there is none
    bool fixed_mac = false;         ///< its driver may not have another one
};

} // namespace sel4vm::dev
