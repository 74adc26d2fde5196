// SPDX-License-Identifier: BSD-2-Clause
//
// The environment of the C interface on the fake host, as vm_host_open() makes it: the fake machine, and the objects behind a vka_t.
#pragma once

#include <hosts/fake/host_base.hpp>

#include <sel4vm/host.h>

#include <map>
#include <memory>

namespace sel4vm::fake {

class Host;

/// What a handle (seL4_CPtr) of this host points to.
struct Object {
    Host &host;
    seL4_Word type;
    seL4_Word size_bits;
    u64 badge = 0;        ///< of a signal
    u64 offset = 0;       ///< of a frame, in the file behind all frames
    u8 *window = nullptr; ///< of a frame
};

class Host final : public HostBase {
public:
    Host();
    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;
    ~Host();

    [[nodiscard]] static Host &of(const vm_host_t &host) { return *static_cast<Host *>(host.impl); }

    [[nodiscard]] Object *make(seL4_Word type, seL4_Word size_bits);
    void free(Object *object);
    /// nullptr for what is no live object of this type.
    [[nodiscard]] Object *find(seL4_CPtr handle, seL4_Word type);
    [[nodiscard]] Object *find_frame(seL4_CPtr handle);
    [[nodiscard]] int frames_file() const { return frames_file_; }

    /// A device of `pages` pages at a physical address; returns its registers. There for good.
    volatile u8 *add_device(u64 phys, usize pages);
    /// The frame of the page of a device, or seL4_CapNull.
    [[nodiscard]] seL4_CPtr device_frame(u64 phys) const;

private:
    int frames_file_;
    u64 frames_end_ = 0;
    std::map<seL4_CPtr, std::unique_ptr<Object>> objects_;
    std::map<u64, seL4_CPtr> devices_; // by page
};

} // namespace sel4vm::fake
