// SPDX-License-Identifier: BSD-2-Clause
//
// Puts a frame into buffers of a guest, from the memory of another: one copy, and where the receiver asks for whole checksums, what is lacking of one.
// Then bytes are summed and written from a private copy of a few of them, so that both are of the same bytes.
//
// Threads: none of its own.
#pragma once

#include <sel4vm/host/net_device.hpp>

namespace sel4vm::dev {

class FrameWriter final : private DmaTaker {
public:
    enum class Result : u8 { written, bad_source, bad_target };

    /// Into `parts`, one after the other, which have room for all that is written.
    FrameWriter(DmaPort &to, std::span<const DmaRange> parts) : to_(to), parts_(parts) {}

    /// `before`, and behind it the frame, whose checksum is made whole when `complete`.
    enum class Checksum : u8 { as_it_is, complete };
    [[nodiscard]] Result write(std::span<const u8> before, const NetFrame &frame, Checksum checksum);

private:
    [[nodiscard]] bool take(std::span<const u8> bytes) override;
    [[nodiscard]] bool put(std::span<const u8> bytes);
    [[nodiscard]] bool put_checksum(u64 at);
    void add(std::span<const u8> bytes);

    DmaPort &to_;
    std::span<const DmaRange> parts_;
    usize part_ = 0;    ///< where the next byte goes
    u64 part_done_ = 0; ///< of it
    bool sums_ = false;
    u64 sum_ = 0;
    u64 position_ = 0; ///< in the frame, of the next byte
    u64 sum_from_ = 0;
};

} // namespace sel4vm::dev
