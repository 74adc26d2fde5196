// SPDX-License-Identifier: BSD-2-Clause
//
// One guest-physical address space (second-stage translation) of a host, and the VMM's windows onto guest RAM.
// Called while a VM is built, and on the exit path only for demand mapping, which draws on what reserve_tables() set aside.
#pragma once

#include <sel4vm/base/range.hpp>
#include <sel4vm/host/host_error.hpp>

namespace sel4vm {

enum class Protection : u8 { read_only, read_write, read_execute, read_write_execute };

/// Whether fresh memory is cleared. `cleared` unless the caller proves nobody else's data can be in it.
enum class Clearing : u8 { cleared, skip };

/// Host memory backing guest RAM: where it is for the hardware, and where the VMM sees it.
struct RamBlock {
    HostPhys phys;
    volatile u8 *window = nullptr; ///< mapped for as long as the block lives
    u64 size_bytes = 0;
};

class GuestSpacePort {
public:
    /// Contiguous RAM for a guest, `alignment` a power of two of at least 4 KiB. The largest contiguous block that is
    /// available may be smaller than asked: the caller asks again for the rest.
    [[nodiscard]] virtual Result<RamBlock, HostError> allocate_ram(u64 size_bytes, u64 alignment,
                                                                   Clearing clearing) = 0;
    virtual void free_ram(const RamBlock &block) = 0;

    /// Maps `at` onto the block from `offset`; 4 KiB aligned. The host picks 4 KiB, 2 MiB and 1 GiB mappings by itself.
    /// invalid when a part is mapped already.
    [[nodiscard]] virtual Status<HostError> map_ram(GpaRange at, const RamBlock &block, u64 offset,
                                                    Protection protection) = 0;
    /// Maps a physical device range through to the guest, as device memory.
    [[nodiscard]] virtual Status<HostError> map_device(GpaRange at, HostPhys phys) = 0;
    /// Changes what the guest may do in a mapped range.
    [[nodiscard]] virtual Status<HostError> protect(GpaRange at, Protection protection) = 0;
    /// Removes mappings; unmapped parts are skipped. On return no CPU translates the range any more.
    virtual void unmap(GpaRange at) = 0;

    /// Sets page tables aside so that mapping any part of `at` later, at 4 KiB granularity, cannot run out of them.
    [[nodiscard]] virtual Status<HostError> reserve_tables(GpaRange at) = 0;

    /// Makes what the VMM wrote through a window visible to a guest that runs with its caches off and to its
    /// instruction fetches.
    virtual void clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) = 0;

    /// Bits of guest-physical address that the guest may use; e.g. 40.
    [[nodiscard]] virtual unsigned address_bits() const = 0;

protected:
    ~GuestSpacePort() = default;
};

} // namespace sel4vm
