// SPDX-License-Identifier: BSD-2-Clause
//
// The environment of the C interface on the fake host, as vm_host_open() makes it: the fake machine, and the objects behind a vka_t.
#pragma once

#include <bindings/process/objects.hpp>
#include <hosts/fake/host_base.hpp>

#include <sel4vm/host.h>

#include <map>

namespace sel4vm::fake {

class Host final : public HostBase, public process::Objects {
public:
    Host() = default;
    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;
    ~Host() override { free_all(); }

    [[nodiscard]] static Host &of(const vm_host_t &host) { return of(host.vka); }
    [[nodiscard]] static Host &of(const vka_t &vka) { return static_cast<Host &>(Objects::of(vka)); }

    void signalled(u64 badge) override { signal(badge); }

    /// A device of `pages` pages at a physical address; returns its registers. There for good.
    volatile u8 *add_device(u64 phys, usize pages);
    /// The frame of the page of a device, or seL4_CapNull.
    [[nodiscard]] seL4_CPtr device_frame(u64 phys) const;

private:
    [[nodiscard]] bool may_make() override { return !refuses(); }
    void was_made() override { note_made(); }
    void was_freed() override { note_gone(); }

    std::map<u64, seL4_CPtr> devices_; // by page
};

} // namespace sel4vm::fake
