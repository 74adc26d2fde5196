// SPDX-License-Identifier: BSD-2-Clause
//
// A split virtqueue from the device's side: Virtio 1.2, 2.7, with indirect descriptors and event indices. The queue is in guest memory, of which
// each word is fetched once and judged on the copy. What makes no sense, and what is no memory, is `broken`: nothing was taken, and the device
// asks its driver for a reset. That is: more chains made available than the queue has, or given back; an index that is no descriptor; a
// chain longer than the queue, which every loop is; a part that wraps, or more than 4 GiB of them; a part to read after one to write;
// an indirect table that was not agreed on, is followed by another descriptor, lies in another table, or is no whole number of descriptors.
// Bits of flags that have no meaning are ignored.
//
// Threads: whoever has the device's lock.
#pragma once

#include <sel4vm/dev/virtio/virtio_chain.hpp>

namespace sel4vm::dev {

/// Features of queues and transports, Virtio 1.2, 6.
namespace virtio_feature {
inline constexpr u64 kIndirectDesc = u64{1} << 28;
inline constexpr u64 kEventIdx = u64{1} << 29;
inline constexpr u64 kVersion1 = u64{1} << 32;
inline constexpr u64 kRingReset = u64{1} << 40;
} // namespace virtio_feature

/// A chain that is given back.
struct VirtioUsed {
    u16 head = 0;
    u32 written_bytes = 0;
};

class VirtioQueue {
public:
    /// Everything that a driver has set, and where both are.
    struct State {
        u64 descriptors = 0; ///< guest-physical addresses of the three parts
        u64 driver = 0;
        u64 device = 0;
        u16 size = 0;       ///< of its descriptors; a power of two once it is ready
        u16 next_avail = 0; ///< how many chains were taken, modulo 2^16
        u16 next_used = 0;  ///< how many were given back
        u16 considered = 0; ///< up to which of those the driver was told, or did not want to be
        bool ready = false;
        friend bool operator==(const State &, const State &) = default;
    };
    enum class Taken : u8 {
        chain,
        none,
        broken,
        later, ///< some of its memory is there at first touch only, and came a step nearer: nothing was taken
    };
    enum class Tell : u8 { yes, no, broken };

    State &state() { return state_; }
    const State &state() const { return state_; }
    /// Whether size and addresses can be those of a queue of at most `most` descriptors.
    [[nodiscard]] bool is_possible(u16 most) const;

    /// The next chain that the driver has made available.
    [[nodiscard]] Taken take(DmaPort &dma, u64 features, VirtioChain &chain);
    /// The chain that begins at descriptor `head`, which was taken before.
    [[nodiscard]] bool fetch(DmaPort &dma, u64 features, u16 head, VirtioChain &chain) const;
    /// The last `count` that were taken were not: they are the next ones again.
    void put_back(u16 count) { state_.next_avail = static_cast<u16>(state_.next_avail - count); }
    /// Gives one back, into which `written_bytes` were written; false: broken.
    [[nodiscard]] bool give_back(DmaPort &dma, u16 head, u32 written_bytes);
    /// The same of several, which the driver sees all at once.
    [[nodiscard]] bool give_back(DmaPort &dma, std::span<const VirtioUsed> chains);
    /// Whether the driver wants to hear of those that were given back since the last call.
    [[nodiscard]] Tell wants_to_hear(DmaPort &dma, u64 features);
    /// There is nothing to take: the driver is to tell of the next chain. `chain`: there is one after all.
    [[nodiscard]] Taken wait_for_more(DmaPort &dma, u64 features);
    /// Taken and not given back.
    [[nodiscard]] u16 in_flight() const { return static_cast<u16>(state_.next_avail - state_.next_used); }

private:
    class Walk;
    [[nodiscard]] bool bring_in(DmaPort &dma) const;
    State state_;
};

} // namespace sel4vm::dev
