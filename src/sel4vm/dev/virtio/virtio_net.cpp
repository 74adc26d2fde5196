// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_net.hpp>

#include <cstring>

namespace sel4vm::dev {

VirtioNet::VirtioNet(const NetOptions &options, Clock &clock, TimeoutQueue &timeouts)
    : network_(*options.network), configured_(options.mac), mtu_(options.mtu), fixed_mac_(options.fixed_mac),
      clock_(clock), timeouts_(timeouts), again_(*this),
      limit_(options.limit_bytes_per_second, clock.ticks_per_second()) {
    config_.mac = configured_.bytes;
    config_.status = virtio_net::kLinkUp;
    config_.queue_pairs = 1;
    config_.mtu = mtu_;
    receive_.own = configured_;
}

VirtioNet::~VirtioNet() { leave(); }

void VirtioNet::leave() {
    timeouts_.cancel(again_);
    network_.connect(nullptr);
}

void VirtioNet::attach(VirtioFunction &function) {
    function_ = &function;
    network_.connect(this);
}

u64 VirtioNet::features() const {
    return virtio_net::kCsum | virtio_net::kGuestCsum | virtio_net::kMtu | virtio_net::kMac | virtio_net::kMrgRxbuf |
           virtio_net::kStatus | virtio_net::kCtrlVq | virtio_net::kCtrlRx |
           (fixed_mac_ ? 0 : virtio_net::kCtrlMacAddr);
}

std::span<const u8> VirtioNet::config() const {
    // SAFETY: bytes of a struct without padding.
    return {reinterpret_cast<const u8 *>(&config_), sizeof(config_)};
}

bool VirtioNet::serve(VirtioFunction &, u32 queue, u64 &left_bytes) {
    switch (queue) {
    case virtio_net::kReceiveQueue: tell_of_received(); return false;
    case virtio_net::kTransmitQueue: return transmit(left_bytes);
    case virtio_net::kControlQueue: return control(left_bytes);
    default: return false;
    }
}

// -- receiving

void VirtioNet::status_changed(VirtioFunction &function) {
    LockGuard guard(network_.receive_lock());
    if (!function.serves(virtio_net::kReceiveQueue))
        receive_.close();
    else if (!receive_.is_open())
        receive_.open(function.own_queue(virtio_net::kReceiveQueue), function.dma(), function.driver_features());
}

void VirtioNet::forget(u32 queue) {
    if (queue != virtio_net::kReceiveQueue)
        return; // nothing of a chain is kept
    LockGuard guard(network_.receive_lock());
    receive_.close();
}

NetTaken VirtioNet::receive(const NetFrame &frame, u64 &left_bytes) { return receive_.receive(frame, left_bytes); }

// Whether the driver wants to hear is looked at in the sender's time, so that a driver that looks by itself costs nobody anything.
void VirtioNet::burst_ended() {
    if (receive_.has_news())
        function_->ask_from_outside(virtio_net::kReceiveQueue);
}

void VirtioNet::tell_of_received() {
    NetReceiveQueue::News news;
    {
        LockGuard guard(network_.receive_lock());
        news = receive_.take_news();
    }
    switch (news) {
    case NetReceiveQueue::News::none: break;
    case NetReceiveQueue::News::received: function_->raise(virtio_net::kReceiveQueue); break;
    case NetReceiveQueue::News::broken: function_->needs_reset(); break;
    }
}

// -- sending

void VirtioNet::net_space() { function_->ask_from_outside(virtio_net::kTransmitQueue); }

void VirtioNet::timeout() { function_->ask_from_outside(virtio_net::kTransmitQueue); }

bool VirtioNet::transmit(u64 &left_bytes) {
    bool more = false;
    while (left_bytes > 0) {
        if (limit_.is_limited()) {
            const u64 now = clock_.now_ticks();
            if (!limit_.allows(now)) {
                timeouts_.arm(again_, limit_.allowed_at(now));
                break;
            }
        }
        more = function_->take(virtio_net::kTransmitQueue, chain_, left_bytes);
        if (!more)
            break;
        const Outcome outcome = send(left_bytes);
        if (outcome == Outcome::wait)
            function_->put_back(virtio_net::kTransmitQueue);
        if (outcome == Outcome::broken)
            function_->needs_reset();
        more = outcome == Outcome::done;
        if (!more)
            break;
        function_->give_back(virtio_net::kTransmitQueue, chain_.head, 0);
    }
    network_.end_burst();
    return more && left_bytes == 0;
}

VirtioNet::Outcome VirtioNet::send(u64 &left_bytes) {
    const std::span<DmaRange> parts = chain_.for_reading();
    const u64 size_bytes = bytes_of(parts);
    if (size_bytes < sizeof(virtio_net::Header))
        return Outcome::broken;
    std::array<u8, sizeof(virtio_net::Header)> bytes;
    if (!read_parts(function_->dma(), parts, bytes))
        return Outcome::broken;
    virtio_net::Header header;
    std::memcpy(&header, bytes.data(), sizeof(virtio_net::Header));

    NetFrame frame;
    const bool has_checksum = (header.flags & virtio_net::kNeedsChecksum) != 0;
    const u64 frame_bytes = size_bytes - sizeof(virtio_net::Header);
    const u64 checksum_end = u64{header.checksum_from} + header.checksum_at + 2;
    // A checksum in the header could change an address that was judged.
    if (header.gso_type != 0 || frame_bytes < kEthernetHeaderBytes ||
        frame_bytes > u64{mtu_} + kEthernetHeaderBytes + kVlanTagBytes ||
        (has_checksum && (!function_->has_feature(virtio_net::kCsum) || header.checksum_from < kEthernetHeaderBytes ||
                          checksum_end > frame_bytes))) {
        network_.note_malformed();
        return Outcome::done;
    }
    if (has_checksum) {
        frame.checksum_from = header.checksum_from;
        frame.checksum_at = header.checksum_at;
    }
    if (!describe(without_first(parts, sizeof(virtio_net::Header)), frame_bytes, frame))
        return Outcome::broken;
    switch (network_.send(frame, left_bytes)) {
    case NetSent::done: break;
    case NetSent::no_room: return Outcome::wait;
    case NetSent::bad_memory: return Outcome::broken;
    }
    limit_.count(frame_bytes);
    return Outcome::done;
}

bool VirtioNet::describe(std::span<DmaRange> parts, u64 size_bytes, NetFrame &frame) {
    frame.dma = &function_->dma();
    frame.size_bytes = static_cast<u32>(size_bytes);
    if (!read_parts(*frame.dma, parts, frame.header))
        return false;
    frame.rest = without_first(parts, frame.header.size());
    return true;
}

// -- state

void VirtioNet::reset() {
    timeouts_.cancel(again_);
    restore({.mac = configured_});
}

VirtioNet::State VirtioNet::state() {
    LockGuard guard(network_.receive_lock());
    return {receive_.own, receive_.filter};
}

void VirtioNet::restore(const State &state) {
    {
        LockGuard guard(network_.receive_lock());
        receive_.own = state.mac;
        receive_.filter = state.filter;
    }
    config_.mac = state.mac.bytes;
}

} // namespace sel4vm::dev
