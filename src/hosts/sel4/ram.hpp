// SPDX-License-Identifier: BSD-2-Clause
//
// One contiguous block of guest RAM: its frames, the VMM's window over all of them, and where the guest sees it. A frame
// capability can be mapped once, so each frame has two. Frames are of one size, the largest that fits the block; what a
// frame holds can only be mapped as a whole.
#pragma once

#include <hosts/sel4/capabilities.hpp>

#include <sel4vm/base/owned_array.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/host/guest_space_port.hpp>

namespace sel4vm::sel4 {

/// One frame of a block.
struct RamFrame {
    OwnedObject object; ///< where a frame is an object of the allocator's (RAM at a fixed physical address)
    CapSlot window;     ///< where it is not
    CapSlot guest;
    bool mapped = false; ///< for the guest
    [[nodiscard]] seL4_CPtr window_cap() const { return object ? object.cap() : window.cap(); }
};

/// The client's page provider as a function: the capability of the frame at `offset`, or an error.
class FrameCaps {
public:
    struct Frame {
        seL4_CPtr cap = 0;
        unsigned size_bits = 0;
    };
    [[nodiscard]] virtual Result<Frame, HostError> next(u64 offset) = 0;

protected:
    ~FrameCaps() = default;
};

class RamBacking {
public:
    RamBacking(vka_t &vka, vspace_t &vmm, Allocator &allocator) : vka_(vka), vmm_(vmm), allocator_(allocator) {}
    RamBacking(const RamBacking &) = delete;
    RamBacking &operator=(const RamBacking &) = delete;
    ~RamBacking();

    // Each of these makes the frames and the window, or leaves an object that can only be destroyed.
    /// One power of two of untyped memory in frames of `frame_bits`.
    [[nodiscard]] Status<HostError> create(unsigned size_bits, unsigned frame_bits);
    /// Frames at given physical addresses.
    [[nodiscard]] Status<HostError> create_at(HostPhys phys, u64 size_bytes, unsigned frame_bits);
    /// Copies of the client's capabilities; `first` is its first frame, all have that size.
    [[nodiscard]] Status<HostError> adopt(u64 size_bytes, FrameCaps &frames);

    [[nodiscard]] const RamBlock &block() const { return block_; }
    [[nodiscard]] u64 frame_bytes() const { return u64{1} << frame_bits_; }
    [[nodiscard]] unsigned frame_bits() const { return frame_bits_; }
    [[nodiscard]] usize frame_count() const { return frames_.size(); }
    [[nodiscard]] RamFrame &frame(usize index) { return frames_[index]; }
    [[nodiscard]] const RamFrame &frame(usize index) const { return frames_[index]; }

    /// Guest-physical address of the block's first byte, when a frame of it is mapped.
    [[nodiscard]] bool mapped() const { return mapped_frames_ != 0; }
    [[nodiscard]] Gpa base() const { return base_; }
    [[nodiscard]] bool holds(Gpa at) const { return mapped() && at.value() - base_.value() < block_.size_bytes; }
    void note_mapped(usize index, Gpa base) {
        base_ = base;
        mapped_frames_ += frames_[index].mapped ? usize{0} : usize{1};
        frames_[index].mapped = true;
    }
    void note_unmapped(usize index) {
        mapped_frames_ -= frames_[index].mapped ? usize{1} : usize{0};
        frames_[index].mapped = false;
    }

    RamBacking *next = nullptr; ///< in its space

private:
    [[nodiscard]] Status<HostError> make_frames(u64 size_bytes, unsigned frame_bits);
    [[nodiscard]] Status<HostError> make_window();
    [[nodiscard]] Status<HostError> map_window();
    [[nodiscard]] int map_frames(void *window, reservation_t place);

    vka_t &vka_;
    vspace_t &vmm_;
    Allocator &allocator_;
    OwnedObject untyped_; // before the frames: freed after them
    OwnedArray<RamFrame> frames_;
    unsigned frame_bits_ = seL4_PageBits;
    reservation_t reservation_{};
    bool window_mapped_ = false;
    RamBlock block_;
    Gpa base_;
    usize mapped_frames_ = 0;
};

} // namespace sel4vm::sel4
