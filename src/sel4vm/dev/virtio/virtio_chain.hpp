// SPDX-License-Identifier: BSD-2-Clause
//
// A descriptor chain as a device model gets it: a copy of what the driver put into the queue, so that nothing of it changes any more, with
// all lengths and their sums checked. First the parts of guest memory that the device may read, then those that it may write. Whether they
// are memory shows when they are used. Virtio 1.2, 2.6.
//
// Threads: none of its own.
#pragma once

#include <sel4vm/host/block_device.hpp>

#include <array>
#include <span>

namespace sel4vm::dev {

/// Descriptors of a queue at most, and so of a chain.
inline constexpr u16 kMaxVirtioQueueSize = 256;

/// Bytes of a step (DeviceWork) that looking at a descriptor counts for.
inline constexpr u64 kVirtioDescriptorCost = 64;

struct VirtioChain {
    u16 head = 0;     ///< what names it when it is given back
    u16 count = 0;    ///< of parts
    u16 readable = 0; ///< how many of them, the first ones, the device may only read
    std::array<DmaRange, kMaxVirtioQueueSize> parts;

    [[nodiscard]] std::span<DmaRange> for_reading() { return std::span(parts).first(readable); }
    [[nodiscard]] std::span<DmaRange> for_writing() { return std::span(parts).first(count).subspan(readable); }
};

/// At most 4 GiB, since a queue refuses longer chains.
[[nodiscard]] u64 bytes_of(std::span<const DmaRange> parts);
/// Takes `count` bytes away, of which there are as many: in place, so the rest is what is returned.
[[nodiscard]] std::span<DmaRange> without_first(std::span<DmaRange> parts, u64 count);
[[nodiscard]] std::span<DmaRange> without_last(std::span<DmaRange> parts, u64 count);

/// All of `out` from the beginning of `parts`, which have as many bytes.
[[nodiscard]] Status<DmaError> read_parts(DmaPort &dma, std::span<const DmaRange> parts, std::span<u8> out);
[[nodiscard]] Status<DmaError> write_parts(DmaPort &dma, std::span<const DmaRange> parts, std::span<const u8> bytes);

} // namespace sel4vm::dev
