// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/ram.hpp>

#include <hosts/sel4/cache.hpp>

#include <array>

namespace sel4vm::sel4 {

RamBacking::~RamBacking() {
    for (usize i = 0; i < frames_.size(); ++i) {
        if (frames_[i].mapped)
            static_cast<void>(seL4_ARM_Page_Unmap(frames_[i].guest.cap()));
    }
    void *const window = const_cast<u8 *>(block_.window);
    if (window_mapped_)
        vspace_unmap_pages(&vmm_, window, frames_.size(), frame_bits_, VSPACE_PRESERVE);
    if (reservation_.res != nullptr)
        vspace_free_reservation(&vmm_, reservation_);
}

Status<HostError> RamBacking::make_frames(u64 size_bytes, unsigned frame_bits) {
    frame_bits_ = frame_bits;
    block_.size_bytes = size_bytes;
    frames_ = OwnedArray<RamFrame>::make(allocator_, size_bytes >> frame_bits);
    if (!frames_)
        return Err{out_of_memory()};
    return Ok{};
}

Status<HostError> RamBacking::create(unsigned size_bits, unsigned frame_bits) {
    // The kernel clears what it manages. What it does not, clients' allocators may have for guests.
    bool cleared = true;
    if (!untyped_.allocate(vka_, seL4_UntypedObject, size_bits)) {
        if (auto done = untyped_.allocate_anywhere(vka_, seL4_UntypedObject, size_bits); !done)
            return done;
        cleared = false;
    }
    if (auto done = make_frames(u64{1} << size_bits, frame_bits); !done)
        return done;
    for (RamFrame &frame : frames_) {
        if (!frame.window.allocate(vka_))
            return Err{out_of_memory()};
        if (auto done = frame.window.retype(untyped_.object(), frame_type(frame_bits), frame_bits); !done)
            return done;
    }
    auto made = make_window();
    if (made && !cleared)
        clear_window(*this);
    return made;
}

Status<HostError> RamBacking::create_at(HostPhys phys, u64 size_bytes, unsigned frame_bits) {
    if (auto done = make_frames(size_bytes, frame_bits); !done)
        return done;
    u64 at = phys.value();
    for (RamFrame &frame : frames_) {
        auto done =
            frame.object.allocate_at(vka_, frame_type(frame_bits), frame_bits, HostPhys{at}, OwnedObject::Kind::ram);
        if (!done)
            return done;
        at += frame_bytes();
    }
    // Memory at a chosen place is often none of the kernel's, and then holds what its last owner left.
    auto made = make_window();
    if (made)
        clear_window(*this);
    return made;
}

Status<HostError> RamBacking::adopt(u64 size_bytes, FrameCaps &frames) {
    const FrameCaps::Frame first = SEL4VM_TRY(frames.next(0));
    const u64 bytes = u64{1} << first.size_bits;
    if (first.size_bits < seL4_PageBits || first.size_bits > seL4_HugePageBits || size_bytes % bytes != 0)
        return Err{HostError{HostErrorKind::invalid}};
    if (auto done = make_frames(size_bytes, first.size_bits); !done)
        return done;
    for (usize i = 0; i < frames_.size(); ++i) {
        const FrameCaps::Frame frame = i == 0 ? first : SEL4VM_TRY(frames.next(i * bytes));
        if (frame.size_bits != first.size_bits)
            return Err{HostError{HostErrorKind::invalid}};
        if (auto done = frames_[i].window.copy_of(vka_, frame.cap, seL4_AllRights); !done)
            return done;
    }
    return make_window();
}

// One at a time, since vspace leaves those mapped that it had mapped before the one that it could not, and does not say how many.
int RamBacking::map_frames(void *window, reservation_t place) {
    auto *const first = static_cast<u8 *>(window);
    for (usize done = 0; done < frames_.size(); ++done) {
        seL4_CPtr cap = frames_[done].window_cap();
        const int error =
            vspace_map_pages_at_vaddr(&vmm_, &cap, nullptr, first + (done << frame_bits_), 1, frame_bits_, place);
        if (error == 0)
            continue;
        if (done != 0)
            vspace_unmap_pages(&vmm_, window, done, frame_bits_, VSPACE_PRESERVE);
        return error;
    }
    return 0;
}

// A table of small pages that an earlier window left behind keeps a large page from being mapped over it, and vspace gives the
// lowest free address: such places are held while others are tried.
Status<HostError> RamBacking::map_window() {
    constexpr int kCacheable = 1;
    constexpr unsigned kMaxTries = 16;
    std::array<reservation_t, kMaxTries> held{};
    unsigned tries = 0;
    HostError error = out_of_memory();
    while (!window_mapped_ && tries < kMaxTries) {
        void *window = nullptr;
        const reservation_t place =
            vspace_reserve_range_aligned(&vmm_, block_.size_bytes, frame_bits_, seL4_AllRights, kCacheable, &window);
        if (place.res == nullptr)
            break;
        const int refused = map_frames(window, place);
        if (refused == 0) {
            reservation_ = place;
            window_mapped_ = true;
            block_.window = static_cast<volatile u8 *>(window);
        } else {
            error = out_of_memory(refused);
            held[tries++] = place;
        }
    }
    while (tries > 0)
        vspace_free_reservation(&vmm_, held[--tries]);
    if (!window_mapped_)
        return Err{error};
    return Ok{};
}

Status<HostError> RamBacking::make_window() {
    for (RamFrame &frame : frames_) {
        if (auto done = frame.guest.copy_of(vka_, frame.window_cap(), seL4_AllRights); !done)
            return done;
    }
    if (auto done = map_window(); !done)
        return done;
    const seL4_ARM_Page_GetAddress_t address = seL4_ARM_Page_GetAddress(frames_[0].window_cap());
    if (address.error != 0)
        return Err{host_error(static_cast<int>(address.error))};
    block_.phys = HostPhys{address.paddr};
    return Ok{};
}

} // namespace sel4vm::sel4
