// SPDX-License-Identifier: BSD-2-Clause
//
// A network behind a device model: a switch between VMs, a card of the machine, a program. Frames of Ethernet without their check sequence. A frame
// that is sent is described, not copied: whoever receives it copies it from the sender's memory to where it belongs, once, before send() returns. The
// first bytes, by which it is judged, are a copy already, and only that copy goes on: a sender cannot change them in between.
//
// Back-pressure: a network without room takes nothing and says so; the frame stays with its sender, who hears when there is room again.
//
// Threads: send() and end_burst() with the sender's own lock held, of LockRank::device; a sender has one of them at a time. Receivers are called
// with their receive lock held, of LockRank::network, by any thread. connect() from any thread that does not hold it.
#pragma once

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/host/block_device.hpp>
#include <sel4vm/host/dma_port.hpp>

#include <array>
#include <span>

namespace sel4vm {

struct MacAddress {
    std::array<u8, 6> bytes{};

    /// Of several stations, or of all.
    [[nodiscard]] constexpr bool is_group() const { return (bytes[0] & 1) != 0; }
    [[nodiscard]] constexpr bool is_broadcast() const { return value() == 0xffff'ffff'ffff; }
    [[nodiscard]] constexpr u64 value() const {
        u64 all = 0;
        for (const u8 byte : bytes)
            all = all << 8 | byte;
        return all;
    }
    friend constexpr bool operator==(const MacAddress &, const MacAddress &) = default;
};

/// The address whose value() this is.
[[nodiscard]] constexpr MacAddress mac_from(u64 value) {
    MacAddress mac;
    for (usize i = mac.bytes.size(); i > 0; value >>= 8)
        mac.bytes[--i] = static_cast<u8>(value);
    return mac;
}

/// Bytes of two addresses and a type.
inline constexpr u32 kEthernetHeaderBytes = 14;
/// Bytes of a tag between them, which count for no MTU.
inline constexpr u32 kVlanTagBytes = 4;

struct NetFrame {
    std::array<u8, kEthernetHeaderBytes> header{};
    /// What follows the header, one part after the other, in the sender's memory; together `size_bytes` less the header's.
    std::span<const DmaRange> rest{};
    DmaPort *dma = nullptr;
    u32 size_bytes = 0; ///< of the whole
    /// From where on the Internet checksum is still to be made, behind the header; 0: there is nothing to do.
    u16 checksum_from = 0;
    /// And where it goes, counted from there: the two bytes hold what the sum begins with, and are inside of the frame.
    u16 checksum_at = 0;

    [[nodiscard]] MacAddress to() const { return address(0); }
    [[nodiscard]] MacAddress from() const { return address(6); }

private:
    [[nodiscard]] MacAddress address(usize first) const {
        MacAddress mac;
        for (usize i = 0; i < mac.bytes.size(); ++i)
            mac.bytes[i] = header[first + i];
        return mac;
    }
};

enum class NetTaken : u8 {
    taken,
    not_wanted, ///< it is for others
    no_room,    ///< or the receiver is not there
    bad_memory, ///< the sender's is not there
};

class NetReceiver {
public:
    /// Copies the frame, or not; what that took is taken from `left_bytes`.
    [[nodiscard]] virtual NetTaken receive(const NetFrame &frame, u64 &left_bytes) = 0;
    /// No more come for now: time to tell of those that came.
    virtual void burst_ended() = 0;
    /// A frame was refused, and there is room again. No lock is held.
    virtual void net_space() = 0;

protected:
    ~NetReceiver() = default;
};

enum class NetSent : u8 {
    done,       ///< it is the sender's again: delivered, or dropped
    no_room,    ///< nothing was done; net_space() comes
    bad_memory, ///< the sender's is not there: nobody has it
};

class NetDevice {
public:
    /// nullptr: from the return on nobody is inside the receiver, which may go.
    virtual void connect(NetReceiver *receiver) = 0;
    [[nodiscard]] virtual Mutex &receive_lock() = 0;
    /// What it took is taken from `left_bytes`; it ends, however much that was.
    [[nodiscard]] virtual NetSent send(const NetFrame &frame, u64 &left_bytes) = 0;
    /// No more come for now.
    virtual void end_burst() = 0;
    /// The sender's guest has sent what is no frame: for who counts.
    virtual void note_malformed() = 0;

protected:
    ~NetDevice() = default;
};

} // namespace sel4vm
