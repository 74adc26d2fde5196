// SPDX-License-Identifier: BSD-2-Clause
//
// A guest with a network device over MMIO, and the driver's side of it: three split queues in guest memory, buffers that wait for frames, and a place for
// frames that are sent.
#pragma once

#include <sel4vm/dev/virtio/virtio_net.hpp>
#include <support/manual_timeouts.hpp>
#include <support/virtio_driver.hpp>

#include <string>

namespace sel4vm::test {

namespace net {
inline constexpr u16 kSize = 16; ///< of each queue
inline constexpr u64 kBuffers = virtio::kRam + 0x8000;
inline constexpr u64 kBufferBytes = 0x800;
inline constexpr u64 kToSend = virtio::kMoreRam;
inline constexpr u64 kCommand = virtio::kRam + 0x4000;
using Bytes = std::vector<u8>;

inline MacAddress mac(u8 last) { return {{0x02, 0, 0, 0, 0, last}}; }
inline constexpr MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/// `size_bytes` in all, of which those behind the header are counted up from `first`.
inline Bytes frame(const MacAddress &to, const MacAddress &from, usize size_bytes = 64, u8 first = 1) {
    Bytes bytes(to.bytes.begin(), to.bytes.end());
    bytes.insert(bytes.end(), from.bytes.begin(), from.bytes.end());
    bytes.push_back(0x08);
    bytes.push_back(0x00);
    while (bytes.size() < size_bytes)
        bytes.push_back(first++);
    bytes.resize(size_bytes);
    return bytes;
}
} // namespace net

class NetStation {
public:
    /// What has come in: the header before it, and the frame.
    struct Received {
        dev::virtio_net::Header header{};
        net::Bytes frame;
        friend bool operator==(const Received &a, const Received &b) { return a.frame == b.frame; }
    };

    NetStation(NetDevice &network, const MacAddress &mac, fake::Clock &clock, dev::NetOptions options = {})
        : own(mac), timeouts(clock),
          device(machine.line, machine.site(), with(options, network, mac), clock, timeouts.queue()) {
        device.model().attach(device.function());
    }

    u32 get(u64 offset) { return static_cast<u32>(*device.read(Access{offset, Width::b4, VcpuId{0}})); }
    void set(u64 offset, u64 value) { static_cast<void>(device.write(Access{offset, Width::b4, VcpuId{0}}, value)); }

    /// As a driver begins: all queues, and buffers for frames in the first.
    void begin(u64 features, u64 buffer_bytes = net::kBufferBytes) {
        features_ = features | dev::virtio_feature::kVersion1;
        set(virtio::status, 0);
        set(virtio::status, 3);
        set(virtio::driver_features_sel, 0);
        set(virtio::driver_features, features_ & 0xffff'ffff);
        set(virtio::driver_features_sel, 1);
        set(virtio::driver_features, features_ >> 32);
        set(virtio::status, 11);
        for (u32 queue = 0; queue < 3; ++queue)
            place(queue);
        set(virtio::status, 15);
        for (u16 n = 0; n < net::kSize; ++n) {
            put(0, n, net::kBuffers + n * net::kBufferBytes, static_cast<u32>(buffer_bytes), virtio::kWrite);
            offer(0, n);
        }
        machine.work.run();
    }
    void place(u32 queue) {
        set(virtio::queue_sel, queue);
        set(virtio::queue_size, net::kSize);
        set(virtio::queue_desc, descriptors(queue));
        set(virtio::queue_driver, driver(queue));
        set(virtio::queue_device, used(queue));
        machine.poke(driver(queue), u32{0});
        machine.poke(used(queue), u32{0});
        available_[queue] = seen_[queue] = 0;
        set(virtio::queue_ready, 1);
    }
    static u64 descriptors(u32 queue) { return virtio::kRam + queue * 0x1000; }
    static u64 driver(u32 queue) { return descriptors(queue) + 0x400; }
    static u64 used(u32 queue) { return descriptors(queue) + 0x800; }

    void put(u32 queue, u16 index, u64 at, u32 bytes, u16 flags, u16 next = 0) {
        const u64 place = descriptors(queue) + 16U * index;
        machine.poke(place, at);
        machine.poke(place + 8, bytes);
        machine.poke(place + 12, flags);
        machine.poke(place + 14, next);
    }
    void offer(u32 queue, u16 head) {
        machine.poke(driver(queue) + 4 + 2 * (available_[queue] % net::kSize), head);
        static_cast<void>(machine.dma.store_index(Gpa{driver(queue) + 2}, ++available_[queue]));
    }
    void notify(u32 queue) { set(virtio::queue_notify, queue); }
    /// How many chains of it have come back.
    u16 came_back(u32 queue) { return *machine.dma.load_index(Gpa{used(queue) + 2}); }

    /// Makes it available; nothing is done yet.
    void queue_frame(const net::Bytes &frame, dev::virtio_net::Header header = {}) {
        net::Bytes all(sizeof(header));
        std::memcpy(all.data(), &header, sizeof(header));
        all.insert(all.end(), frame.begin(), frame.end());
        // In two parts, neither of which ends with a header; eight frames at a time.
        const u16 index = static_cast<u16>(available_[1] % 8);
        const u64 at = net::kToSend + index * 0x2000U;
        static_cast<void>(machine.memory.write(Gpa{at}, all));
        const u32 first = std::min<u32>(21, static_cast<u32>(all.size()));
        put(1, index, at, first, virtio::kNext, static_cast<u16>(index + 8));
        put(1, static_cast<u16>(index + 8), at + first, static_cast<u32>(all.size()) - first, 0);
        offer(1, index);
    }
    void send(const net::Bytes &frame, dev::virtio_net::Header header = {}) {
        queue_frame(frame, header);
        notify(1);
        machine.work.run();
    }
    /// What has come in since the last call, in order; its buffers are offered again only when `offers`.
    std::vector<Received> received(bool offers = false) {
        std::vector<Received> all;
        std::vector<u16> heads;
        machine.work.run();
        while (seen_[0] != came_back(0)) {
            Received one;
            u16 left = 1;
            net::Bytes bytes;
            while (left > 0) {
                const u64 at = used(0) + 4 + 8 * (seen_[0] % net::kSize);
                ++seen_[0];
                const u32 head = machine.peek<u32>(at);
                const u32 written = machine.peek<u32>(at + 4);
                if (offers)
                    heads.push_back(static_cast<u16>(head));
                const usize before = bytes.size();
                bytes.resize(before + written);
                static_cast<void>(machine.memory.read(Gpa{net::kBuffers + head * net::kBufferBytes},
                                                      std::span(bytes).subspan(before)));
                if (before == 0) {
                    std::memcpy(&one.header, bytes.data(), sizeof(one.header));
                    left = one.header.buffers;
                }
                if (--left > 0 && seen_[0] == came_back(0))
                    return all; // it must not come to that: the frame is not whole
            }
            one.frame.assign(bytes.begin() + sizeof(one.header), bytes.end());
            all.push_back(one);
        }
        for (const u16 head : heads)
            offer(0, head);
        return all;
    }
    /// Of the control queue; nothing when it does not come back.
    int command(u8 its_class, u8 command, const net::Bytes &data) {
        net::Bytes all{its_class, command};
        all.insert(all.end(), data.begin(), data.end());
        static_cast<void>(machine.memory.write(Gpa{net::kCommand}, all));
        const u64 status = net::kCommand + 0x800;
        machine.poke(status, u8{0xee});
        put(2, 0, net::kCommand, static_cast<u32>(all.size()), virtio::kNext, 1);
        put(2, 1, status, 1, virtio::kWrite);
        const u16 before = came_back(2);
        offer(2, 0);
        notify(2);
        machine.work.run();
        return came_back(2) == before ? -1 : machine.peek<u8>(status);
    }
    [[nodiscard]] bool needs_reset() { return (get(virtio::status) & 64) != 0; }
    [[nodiscard]] bool interrupted() {
        const bool high = machine.chip.high(virtio::kIntid);
        set(virtio::interrupt_ack, get(virtio::interrupt_status));
        return high;
    }

    MacAddress own;
    VirtioMachine machine;
    ManualTimeouts timeouts;
    dev::VirtioOnMmio<dev::VirtioNet> device;

private:
    static dev::NetOptions with(dev::NetOptions options, NetDevice &network, const MacAddress &mac) {
        options.network = &network;
        options.mac = mac;
        return options;
    }
    u64 features_ = 0;
    std::array<u16, 3> available_{};
    std::array<u16, 3> seen_{};
};

} // namespace sel4vm::test
