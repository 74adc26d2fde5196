// SPDX-License-Identifier: BSD-2-Clause
//
// Physical memory of the machine, in contiguous blocks. Two kinds: pages for the host itself (cacheable, contents undefined), and RAM
// for guests. Free guest RAM is mapped at EL2 without cacheability, in whole 2 MiB blocks: no cache can then hold a line
// of it, so clearing it writes to memory itself and a guest that runs with its caches off sees the zeros, without a cache
// operation per line. When a block is handed out it becomes cacheable; when it comes back, its lines are cleaned and invalidated.
// Build time only; one CPU at a time.
#pragma once

#include <hosts/el2/mm/host_map.hpp>
#include <hosts/el2/portable/page_pool.hpp>

#include <sel4vm/host/guest_space_port.hpp>

namespace sel4vm::el2 {

class PageAllocator {
public:
    explicit PageAllocator(HostMap &map) : map_(map) {}
    PageAllocator(const PageAllocator &) = delete;
    PageAllocator &operator=(const PageAllocator &) = delete;

    /// Gives memory to the allocator, once at boot; page-aligned, not in the host map yet, and without dirty cache lines.
    void add(HostPhysRange range);

    /// Pages for the host: both arguments in bytes, multiples of 4 KiB, alignment a power of two.
    [[nodiscard]] std::optional<HostPhys> allocate(u64 size_bytes, u64 alignment = kPageBytes);
    void free(HostPhys base, u64 size_bytes);

    /// RAM for a guest as GuestSpacePort::allocate_ram describes.
    [[nodiscard]] Result<RamBlock, HostError> allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing);
    /// The same at a given place, in pages. busy: a part of it is not free memory of this machine.
    [[nodiscard]] Result<RamBlock, HostError> allocate_ram_at(HostPhysRange range, Clearing clearing);
    void free_ram(const RamBlock &block);

    /// What was handed out and has not come back.
    [[nodiscard]] u64 used_bytes() const { return used_bytes_; }
    [[nodiscard]] u64 free_bytes() const { return host_.free_bytes() + guest_.free_bytes(); }

private:
    [[nodiscard]] std::optional<HostPhys> find(u64 size_bytes, u64 alignment);

    HostMap &map_;
    PagePool host_;  ///< cacheable
    PagePool guest_; ///< not cacheable, whole 2 MiB blocks
    u64 used_bytes_ = 0;
};

} // namespace sel4vm::el2
