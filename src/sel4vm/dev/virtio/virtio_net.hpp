// SPDX-License-Identifier: BSD-2-Clause
//
// Virtio network device: Virtio 1.2, 5.1, at any NetDevice. One pair of queues and the control queue; checksums that a driver has left undone go on undone to
// receivers that take them so, and are made whole for others. A frame that was sent goes from the sender's memory into the receivers' buffers while the sender's
// queue is served, in the sender's time; who receives does nothing but hear of it.
//
// What is no frame (shorter than its header, longer than the MTU and a tag, with a checksum outside of it or an offload that was not agreed on) is dropped and
// counted. A chain without room for the header before a frame, and memory that is none, have no sensible end: the device asks for a reset.
//
// Back-pressure: frames beyond `limit`, and those that the network has no room for, wait in the queue.
// Deliberately not here: segmentation (TSO, USO), several pairs of queues, announcements, VLAN filters.
//
// Reset state: the configured address, every frame is wanted.
// Threads: as VirtioModel, and NetReceiver's from any. The lock of the function is taken before the receive lock of the network, and nobody takes it with that.
#pragma once

#include <sel4vm/dev/net_options.hpp>
#include <sel4vm/dev/rate_limit.hpp>
#include <sel4vm/dev/virtio/net_receive_queue.hpp>
#include <sel4vm/dev/virtio/virtio_function.hpp>
#include <sel4vm/dev/virtio/virtio_net_format.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/timeout.hpp>

namespace sel4vm::dev {

class VirtioNet final : public VirtioModel, private NetReceiver, private TimeoutHandler {
public:
    static constexpr u16 kQueueSize = 256;

    /// Everything that its driver has set.
    struct State {
        MacAddress mac{};
        MacFilter filter{};
    };

    /// attach() comes before the first use.
    VirtioNet(const NetOptions &options, Clock &clock, TimeoutQueue &timeouts);
    VirtioNet(const VirtioNet &) = delete;
    VirtioNet &operator=(const VirtioNet &) = delete;
    ~VirtioNet();
    /// What it is the model of.
    void attach(VirtioFunction &function);
    /// From now on it hears of no frame; before its function is gone.
    void leave();

    [[nodiscard]] const char *name() const override { return "virtio-net"; }
    [[nodiscard]] u32 device_id() const override { return 1; }
    [[nodiscard]] u64 features() const override;
    [[nodiscard]] u32 queue_count() const override { return 3; }
    [[nodiscard]] u16 queue_size_max() const override { return kQueueSize; }
    [[nodiscard]] std::span<const u8> config() const override;
    [[nodiscard]] bool serve(VirtioFunction &function, u32 queue, u64 &left_bytes) override;
    void forget(u32 queue) override;
    void status_changed(VirtioFunction &function) override;
    void reset() override;

    /// Both with the function's lock held; the queues are the function's. While others send to it, the receive queue's indices move on.
    [[nodiscard]] State state();
    void restore(const State &state);

private:
    /// What became of a chain.
    enum class Outcome : u8 { done, wait, broken };

    // NetReceiver, with the receive lock
    [[nodiscard]] NetTaken receive(const NetFrame &frame, u64 &left_bytes) override;
    void burst_ended() override;
    void net_space() override;
    // TimeoutHandler
    void timeout() override;

    void tell_of_received();
    [[nodiscard]] bool transmit(u64 &left_bytes);
    [[nodiscard]] Outcome send(u64 &left_bytes);
    [[nodiscard]] bool describe(std::span<DmaRange> parts, u64 size_bytes, NetFrame &frame);
    // virtio_net_control.cpp
    [[nodiscard]] bool control(u64 &left_bytes);
    [[nodiscard]] u8 obey(std::span<DmaRange> parts);
    [[nodiscard]] u8 set_rx_mode(u8 command, std::span<DmaRange> parts);
    [[nodiscard]] u8 set_table(std::span<DmaRange> parts);
    [[nodiscard]] bool read_table(std::span<DmaRange> &parts, MacFilter &filter);
    [[nodiscard]] u8 set_address(std::span<DmaRange> parts);

    NetDevice &network_;
    MacAddress configured_;
    u16 mtu_;
    bool fixed_mac_;
    Clock &clock_;
    TimeoutQueue &timeouts_;
    Timeout again_;
    RateLimit limit_;
    VirtioFunction *function_ = nullptr;
    virtio_net::Config config_{};
    NetReceiveQueue receive_; // under the network's receive lock
    VirtioChain chain_;       // of the other queues
};

} // namespace sel4vm::dev
