// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_rng.hpp>

#include <algorithm>

namespace sel4vm::dev {

bool VirtioRng::serve(VirtioFunction &function, u32 queue, u64 &left_bytes) {
    constexpr u64 kByteCost = 16; // making one takes longer than copying it
    while (left_bytes > 0) {
        // Before a buffer is taken, which then must get some.
        if (left_ == 0 && !entropy_.fill(bytes_))
            return false;
        left_ = left_ == 0 ? kMostBytes : left_;
        if (!function.take(queue, chain_, left_bytes))
            return false;
        const std::span<DmaRange> parts = chain_.for_writing();
        const auto count = static_cast<u32>(std::min<u64>(bytes_of(parts), left_));
        const std::span<u8> given = std::span(bytes_).subspan(kMostBytes - left_, count);
        left_ -= count;
        if (count == 0 || !write_parts(function.dma(), parts, given)) {
            function.needs_reset();
            return false;
        }
        std::fill(given.begin(), given.end(), u8{0});
        function.give_back(queue, chain_.head, count);
        left_bytes -= std::min(left_bytes, count * kByteCost);
    }
    return true;
}

} // namespace sel4vm::dev
