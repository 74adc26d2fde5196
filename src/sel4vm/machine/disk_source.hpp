// SPDX-License-Identifier: BSD-2-Clause
//
// Where the disks come from that belong to the machine below and not to the bundle.
//
// Threads: while VMs are built.
#pragma once

#include <sel4vm/host/block_device.hpp>
#include <sel4vm/vm/device_work.hpp>

#include <string_view>

namespace sel4vm::machine {

class DiskSource {
public:
    /// Gives the disk of that name to a VM, in whose turns it works from then on. nullptr: there is none, or the VM has too many devices for its work.
    [[nodiscard]] virtual BlockDevice *give_disk(std::string_view name, DiskAccess access, WorkTurns &turns) = 0;
    /// The VM is about to be gone: it asks for nothing any more.
    virtual void take_disk_back(std::string_view name) = 0;

protected:
    ~DiskSource() = default;
};

} // namespace sel4vm::machine
