// SPDX-License-Identifier: BSD-2-Clause
//
// Memory that several guests have: blocks of the machine's, which any guest space maps.
#pragma once

#include <hosts/el2/mm/page_allocator.hpp>

#include <sel4vm/host/shared_ram_port.hpp>

namespace sel4vm::el2 {

class SharedRam final : public SharedRamPort {
public:
    explicit SharedRam(PageAllocator &pages) : pages_(pages) {}

    [[nodiscard]] Result<RamBlock, HostError> allocate_shared(u64 size_bytes) override;
    void free_shared(const RamBlock &block) override { pages_.free_ram(block); }

private:
    PageAllocator &pages_;
};

} // namespace sel4vm::el2
