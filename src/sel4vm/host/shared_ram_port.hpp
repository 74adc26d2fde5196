// SPDX-License-Identifier: BSD-2-Clause
//
// Memory of a host that several of its guests can have at once: it belongs to no guest's space, and lives until it is freed, whatever becomes of
// them.
//
// Threads: one at a time, while VMs are built or taken down.
#pragma once

#include <sel4vm/host/guest_space_port.hpp>

namespace sel4vm {

class SharedRamPort {
public:
    /// One block of at least that many bytes, whole pages, all zero, which each space of this host maps (GuestSpacePort::map_ram).
    [[nodiscard]] virtual Result<RamBlock, HostError> allocate_shared(u64 size_bytes) = 0;
    /// No space maps it any more.
    virtual void free_shared(const RamBlock &block) = 0;

protected:
    ~SharedRamPort() = default;
};

} // namespace sel4vm
