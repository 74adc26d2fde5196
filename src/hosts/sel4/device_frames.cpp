// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/device_frames.hpp>

#include <memory>
#include <new>

namespace sel4vm::sel4 {

DeviceFrames::~DeviceFrames() {
    while (frames_ != nullptr) {
        Frame *const frame = frames_;
        frames_ = frame->next;
        std::destroy_at(frame);
        allocator_.deallocate(frame, sizeof(Frame), alignof(Frame));
    }
}

DeviceFrames::Frame *DeviceFrames::find_or_make(HostPhys phys, unsigned size_bits) {
    for (Frame *frame = frames_; frame != nullptr; frame = frame->next) {
        if (frame->phys == phys && frame->size_bits == size_bits)
            return frame;
    }
    void *const block = allocator_.allocate(sizeof(Frame), alignof(Frame));
    if (block == nullptr)
        return nullptr;
    auto *const frame = ::new (block) Frame{};
    bool made =
        frame->object.allocate_at(vka_, frame_type(size_bits), size_bits, phys, OwnedObject::Kind::device).has_value();
    if (!made && simple_ != nullptr && frame->cap.allocate(vka_)) {
        cspacepath_t path = frame->cap.path();
        made = simple_get_frame_cap(simple_, reinterpret_cast<void *>(phys.value()), static_cast<int>(size_bits),
                                    &path) == 0;
    }
    if (!made) {
        std::destroy_at(frame);
        allocator_.deallocate(frame, sizeof(Frame), alignof(Frame));
        return nullptr;
    }
    frame->phys = phys;
    frame->size_bits = size_bits;
    frame->next = frames_;
    frames_ = frame;
    return frame;
}

Result<CapSlot, HostError> DeviceFrames::get(HostPhys phys, unsigned size_bits) {
    const Frame *const frame = find_or_make(phys, size_bits);
    if (frame == nullptr)
        return Err{out_of_memory()};
    CapSlot copy;
    if (auto done = copy.copy_of(vka_, frame->object ? frame->object.cap() : frame->cap.cap(), seL4_AllRights); !done)
        return Err{done.error()};
    return copy;
}

} // namespace sel4vm::sel4
