// SPDX-License-Identifier: BSD-2-Clause
//
// Numbers and layouts of the virtio network device: Virtio 1.2, 5.1.
//
// Threads: none of its own.
#pragma once

#include <sel4vm/base/types.hpp>

#include <array>

namespace sel4vm::dev::virtio_net {

// Features.
inline constexpr u64 kCsum = u64{1} << 0;
inline constexpr u64 kGuestCsum = u64{1} << 1;
inline constexpr u64 kMtu = u64{1} << 3;
inline constexpr u64 kMac = u64{1} << 5;
inline constexpr u64 kMrgRxbuf = u64{1} << 15;
inline constexpr u64 kStatus = u64{1} << 16;
inline constexpr u64 kCtrlVq = u64{1} << 17;
inline constexpr u64 kCtrlRx = u64{1} << 18;
inline constexpr u64 kCtrlMacAddr = u64{1} << 23;

// Queues.
inline constexpr u32 kReceiveQueue = 0;
inline constexpr u32 kTransmitQueue = 1;
inline constexpr u32 kControlQueue = 2;

/// Before each frame, in both directions.
struct Header {
    u8 flags;
    u8 gso_type;
    u16 header_bytes;
    u16 gso_bytes;
    u16 checksum_from;
    u16 checksum_at;
    u16 buffers; ///< over how many a received frame goes
};
static_assert(sizeof(Header) == 12);
inline constexpr u8 kNeedsChecksum = 1; ///< flags

/// The configuration space, as far as it is used.
struct Config {
    std::array<u8, 6> mac;
    u16 status;
    u16 queue_pairs;
    u16 mtu;
};
static_assert(sizeof(Config) == 12);
inline constexpr u16 kLinkUp = 1; ///< status

// The control queue: a class, a command, what it says; and a byte of the device's.
inline constexpr u8 kOk = 0;
inline constexpr u8 kError = 1;
inline constexpr u8 kClassRx = 0;
inline constexpr u8 kRxPromiscuous = 0;
inline constexpr u8 kRxAllMulticast = 1;
inline constexpr u8 kClassMac = 1;
inline constexpr u8 kMacTableSet = 0;
inline constexpr u8 kMacAddressSet = 1;

} // namespace sel4vm::dev::virtio_net
