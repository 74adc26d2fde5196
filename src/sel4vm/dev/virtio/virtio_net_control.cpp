// SPDX-License-Identifier: BSD-2-Clause
//
// The control queue of the network device: which frames its driver wants, and its address. Virtio 1.2, 5.1.6.5.
#include <sel4vm/dev/virtio/virtio_net.hpp>

#include <algorithm>

namespace sel4vm::dev {

namespace {

/// The first bytes, which are taken away. False: there are fewer, or they are no memory.
[[nodiscard]] bool take_bytes(DmaPort &dma, std::span<DmaRange> &parts, std::span<u8> out) {
    if (bytes_of(parts) < out.size() || !read_parts(dma, parts, out))
        return false;
    parts = without_first(parts, out.size());
    return true;
}

} // namespace

bool VirtioNet::control(u64 &left_bytes) {
    while (left_bytes > 0) {
        if (!function_->take(virtio_net::kControlQueue, chain_, left_bytes))
            return false;
        const std::span<DmaRange> answer = chain_.for_writing();
        if (bytes_of(answer) == 0) {
            function_->needs_reset();
            return false;
        }
        const std::array<u8, 1> status{obey(chain_.for_reading())};
        if (!write_parts(function_->dma(), answer, status)) {
            function_->needs_reset();
            return false;
        }
        function_->give_back(virtio_net::kControlQueue, chain_.head, 1);
    }
    return true;
}

u8 VirtioNet::obey(std::span<DmaRange> parts) {
    std::array<u8, 2> command; // and its class before it
    if (!take_bytes(function_->dma(), parts, command))
        return virtio_net::kError;
    if (command[0] == virtio_net::kClassRx && function_->has_feature(virtio_net::kCtrlRx))
        return set_rx_mode(command[1], parts);
    if (command[0] == virtio_net::kClassMac && command[1] == virtio_net::kMacTableSet &&
        function_->has_feature(virtio_net::kCtrlRx))
        return set_table(parts);
    if (command[0] == virtio_net::kClassMac && command[1] == virtio_net::kMacAddressSet &&
        function_->has_feature(virtio_net::kCtrlMacAddr))
        return set_address(parts);
    return virtio_net::kError;
}

u8 VirtioNet::set_rx_mode(u8 command, std::span<DmaRange> parts) {
    std::array<u8, 1> on;
    if ((command != virtio_net::kRxPromiscuous && command != virtio_net::kRxAllMulticast) ||
        !take_bytes(function_->dma(), parts, on))
        return virtio_net::kError;
    LockGuard guard(network_.receive_lock());
    (command == virtio_net::kRxPromiscuous ? receive_.filter.promiscuous : receive_.filter.all_multicast) = on[0] != 0;
    return virtio_net::kOk;
}

/// A count and as many addresses, which go where they belong, whichever of the two tables they are in.
bool VirtioNet::read_table(std::span<DmaRange> &parts, MacFilter &filter) {
    std::array<u8, 4> count_bytes;
    if (!take_bytes(function_->dma(), parts, count_bytes))
        return false;
    u32 count = 0;
    for (u32 i = 0; i < count_bytes.size(); ++i)
        count |= u32{count_bytes[i]} << (8 * i);
    if (bytes_of(parts) / sizeof(MacAddress::bytes) < count)
        return false;
    if (count > MacFilter::kMaxAddresses) {
        // The first one says which kind they are.
        MacAddress first;
        if (!read_parts(function_->dma(), parts, first.bytes))
            return false;
        (first.is_group() ? filter.multicast : filter.unicast).any = true;
        parts = without_first(parts, u64{count} * first.bytes.size());
        return true;
    }
    for (u32 i = 0; i < count; ++i) {
        MacAddress mac;
        if (!take_bytes(function_->dma(), parts, mac.bytes))
            return false;
        MacFilter::Table &table = mac.is_group() ? filter.multicast : filter.unicast;
        if (table.addresses.emplace_back(mac.value()) == nullptr)
            table.any = true;
    }
    return true;
}

u8 VirtioNet::set_table(std::span<DmaRange> parts) {
    MacFilter fresh;
    if (!read_table(parts, fresh) || !read_table(parts, fresh))
        return virtio_net::kError;
    LockGuard guard(network_.receive_lock());
    receive_.filter.unicast = fresh.unicast;
    receive_.filter.multicast = fresh.multicast;
    return virtio_net::kOk;
}

u8 VirtioNet::set_address(std::span<DmaRange> parts) {
    MacAddress mac;
    if (!take_bytes(function_->dma(), parts, mac.bytes) || mac.is_group() || mac.value() == 0)
        return virtio_net::kError;
    config_.mac = mac.bytes;
    LockGuard guard(network_.receive_lock());
    receive_.own = mac;
    return virtio_net::kOk;
}

} // namespace sel4vm::dev
