// SPDX-License-Identifier: BSD-2-Clause
//
// The receive queue of a network device, which those who send to it use in their own time: a frame goes into buffers that the driver has made available, over
// several of them with MRG_RXBUF, and the driver sees them all at once. Without room for a frame nothing is done, and it is its sender's business.
//
// A frame goes into at most kMaxBuffers buffers of kMaxParts descriptors together, so that buffers of a byte each cost whoever sends no more than that; a driver
// that has smaller ones gets no frame that large. A buffer without room for any byte, and what VirtioQueue calls broken, closes the queue.
//
// Threads: everything with the receive lock of the network (NetDevice), by any thread; but the queue's place is changed only while it is closed.
#pragma once

#include <sel4vm/dev/virtio/mac_filter.hpp>
#include <sel4vm/dev/virtio/virtio_queue.hpp>

namespace sel4vm::dev {

class NetReceiveQueue {
public:
    static constexpr usize kMaxBuffers = 32;
    static constexpr usize kMaxParts = 64;

    /// From now on frames come in. All of it outlives that.
    void open(VirtioQueue &queue, DmaPort &dma, u64 features);
    void close() { queue_ = nullptr; }
    [[nodiscard]] bool is_open() const { return queue_ != nullptr; }

    [[nodiscard]] NetTaken receive(const NetFrame &frame, u64 &left_bytes);
    /// No more come for now. Whether the driver is to be told of those that came, or that it has done what it must not: take_news() says which.
    [[nodiscard]] bool has_news();
    enum class News : u8 { none, received, broken };
    [[nodiscard]] News take_news();

    MacAddress own{};
    MacFilter filter{};

private:
    [[nodiscard]] NetTaken fill(const NetFrame &frame);
    [[nodiscard]] bool collect(u64 needed_bytes);
    void give_back();
    void break_down();

    VirtioQueue *queue_ = nullptr;
    DmaPort *dma_ = nullptr;
    u64 features_ = 0;
    News news_ = News::none;
    // Of the frame that comes in.
    u64 looked_at_ = 0; ///< descriptors
    FixedVector<DmaRange, kMaxParts> parts_;
    FixedVector<VirtioUsed, kMaxBuffers> buffers_; ///< `written_bytes`: their room
    VirtioChain chain_;
};

} // namespace sel4vm::dev
