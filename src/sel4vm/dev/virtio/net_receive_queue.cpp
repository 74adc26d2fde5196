// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/net_receive_queue.hpp>

#include <sel4vm/dev/virtio/frame_writer.hpp>
#include <sel4vm/dev/virtio/virtio_net_format.hpp>

#include <algorithm>
#include <cstring>

namespace sel4vm::dev {

void NetReceiveQueue::open(VirtioQueue &queue, DmaPort &dma, u64 features) {
    queue_ = &queue;
    dma_ = &dma;
    features_ = features;
    news_ = News::none;
}

NetTaken NetReceiveQueue::receive(const NetFrame &frame, u64 &left_bytes) {
    if (queue_ == nullptr)
        return NetTaken::no_room;
    if ((features_ & virtio_net::kCtrlRx) != 0 && !filter.wants(own, frame.to()))
        return NetTaken::not_wanted;
    parts_.clear();
    buffers_.clear();
    looked_at_ = 0;
    const NetTaken taken = fill(frame);
    const u64 cost = kVirtioDescriptorCost * looked_at_ + frame.size_bytes;
    left_bytes -= std::min(left_bytes, cost);
    return taken;
}

NetTaken NetReceiveQueue::fill(const NetFrame &frame) {
    if (!collect(sizeof(virtio_net::Header) + u64{frame.size_bytes})) {
        if (queue_ != nullptr)
            queue_->put_back(static_cast<u16>(buffers_.size()));
        return NetTaken::no_room;
    }
    virtio_net::Header header{};
    header.buffers = static_cast<u16>(buffers_.size());
    const bool leaves_checksum = (features_ & virtio_net::kGuestCsum) != 0;
    if (leaves_checksum && frame.checksum_from != 0) {
        header.flags = virtio_net::kNeedsChecksum;
        header.checksum_from = frame.checksum_from;
        header.checksum_at = frame.checksum_at;
    }
    std::array<u8, sizeof(virtio_net::Header)> bytes;
    std::memcpy(bytes.data(), &header, sizeof(virtio_net::Header));
    FrameWriter writer(*dma_, {parts_.begin(), parts_.size()});
    switch (writer.write(bytes, frame,
                         leaves_checksum ? FrameWriter::Checksum::as_it_is : FrameWriter::Checksum::complete)) {
    case FrameWriter::Result::written: break;
    case FrameWriter::Result::bad_source:
        queue_->put_back(static_cast<u16>(buffers_.size()));
        return NetTaken::bad_memory;
    case FrameWriter::Result::bad_target: break_down(); return NetTaken::no_room;
    }
    give_back();
    return NetTaken::taken;
}

/// Buffers with that much room together. False: there are none; those that there are were taken all the same.
bool NetReceiveQueue::collect(u64 needed_bytes) {
    const bool merges = (features_ & virtio_net::kMrgRxbuf) != 0;
    u64 room = 0;
    while (room < needed_bytes) {
        if (buffers_.full() || (!merges && !buffers_.empty()))
            return false;
        switch (queue_->take(*dma_, features_, chain_)) {
        case VirtioQueue::Taken::chain: break;
        case VirtioQueue::Taken::none:
        case VirtioQueue::Taken::later: return false; // this frame is lost; the memory is there for one that follows
        case VirtioQueue::Taken::broken: break_down(); return false;
        }
        looked_at_ += chain_.count + 1U;
        const std::span<const DmaRange> parts = chain_.for_writing();
        const u64 bytes = bytes_of(parts);
        if (bytes == 0) {
            break_down();
            return false;
        }
        // Not full, see above.
        static_cast<void>(buffers_.emplace_back(
            VirtioUsed{chain_.head, static_cast<u32>(std::min<u64>(bytes, needed_bytes - room))}));
        for (const DmaRange &part : parts)
            if (room < needed_bytes) {
                if (parts_.emplace_back(part) == nullptr)
                    return false;
                room += part.size_bytes;
            }
    }
    return true;
}

void NetReceiveQueue::give_back() {
    if (!queue_->give_back(*dma_, std::span<const VirtioUsed>(buffers_.begin(), buffers_.size())))
        break_down();
}

bool NetReceiveQueue::has_news() {
    if (queue_ != nullptr) {
        switch (queue_->wants_to_hear(*dma_, features_)) {
        case VirtioQueue::Tell::yes: news_ = News::received; break;
        case VirtioQueue::Tell::no: break;
        case VirtioQueue::Tell::broken: break_down(); break;
        }
    }
    return news_ != News::none;
}

NetReceiveQueue::News NetReceiveQueue::take_news() {
    const News news = news_;
    news_ = News::none;
    return news;
}

void NetReceiveQueue::break_down() {
    news_ = News::broken;
    queue_ = nullptr;
}

} // namespace sel4vm::dev
