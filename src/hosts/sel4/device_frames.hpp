// SPDX-License-Identifier: BSD-2-Clause
//
// Frames of device memory by physical address. Device memory can be turned into frames once, while several VMs may need
// the same one (the GIC's virtual CPU interface): the first request makes the frame, each gets a copy.
#pragma once

#include <hosts/sel4/capabilities.hpp>

#include <sel4vm/base/allocator.hpp>

namespace sel4vm::sel4 {

class DeviceFrames {
public:
    DeviceFrames(vka_t &vka, simple_t *simple, Allocator &allocator)
        : vka_(vka), simple_(simple), allocator_(allocator) {}
    DeviceFrames(const DeviceFrames &) = delete;
    DeviceFrames &operator=(const DeviceFrames &) = delete;
    ~DeviceFrames();

    /// A capability for mapping the frame of `size_bits` at `phys` once more.
    [[nodiscard]] Result<CapSlot, HostError> get(HostPhys phys, unsigned size_bits);

private:
    struct Frame {
        OwnedObject object; ///< made here, or
        CapSlot cap;        ///< given by the environment
        HostPhys phys;
        unsigned size_bits = 0;
        Frame *next = nullptr;
    };
    [[nodiscard]] Frame *find_or_make(HostPhys phys, unsigned size_bits);

    vka_t &vka_;
    simple_t *simple_;
    Allocator &allocator_;
    Frame *frames_ = nullptr;
};

} // namespace sel4vm::sel4
