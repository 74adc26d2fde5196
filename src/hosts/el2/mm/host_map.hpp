// SPDX-License-Identifier: BSD-2-Clause
//
// EL2's own translation: every address maps to itself, and nothing is mapped that is not known to be there. The image with
// its permissions, then RAM and the registers of devices as the device tree names them. RAM that guests get is switched
// between cacheable and not in 2 MiB blocks (see page_allocator.hpp).
#pragma once

#include <hosts/el2/portable/page_table.hpp>

#include <sel4vm/base/range.hpp>

namespace sel4vm::el2 {

class PageAllocator;

enum class HostMemory : u8 {
    code,      ///< read, execute
    constants, ///< read
    data,      ///< read, write, cacheable
    uncached,  ///< read, write, not cacheable
    device,    ///< nGnRE
};

class HostMap final : private TableMemory {
public:
    /// `early` is zeroed, page-aligned memory for the first tables, before there is an allocator.
    explicit HostMap(HostPhysRange early);
    HostMap(const HostMap &) = delete;
    HostMap &operator=(const HostMap &) = delete;

    /// Maps pages. Those that are mapped already stay as they are.
    [[nodiscard]] Status<HostError> map(HostPhysRange range, HostMemory kind);
    /// Changes the kind of mapped pages, without ever leaving two kinds of mapping in force.
    [[nodiscard]] Status<HostError> change(HostPhysRange range, HostMemory kind);
    /// Maps RAM a second time, at another address than its own.
    [[nodiscard]] Status<HostError> map_again(u64 at, HostPhysRange range);
    /// Leaves a hole.
    void unmap(HostPhysRange range);
    [[nodiscard]] bool is_mapped(HostPhys at) const { return table_.lookup(at.value()).has_value(); }

    /// Turns translation and caches on; also at EL1, where the host only lives long enough to say that it cannot run.
    void enable();
    /// Tables come from here from now on.
    void use(PageAllocator &pages) { pages_ = &pages; }

private:
    [[nodiscard]] u64 allocate_tables(unsigned count) override;
    void free_tables(u64 base, unsigned count) override;
    [[nodiscard]] u64 load(u64 table, unsigned index) const override;
    void store(u64 table, unsigned index, u64 descriptor) override;
    void publish() override;
    void invalidate(u64 base, u64 size_bytes) override;

    u64 early_base_;
    u64 early_next_;
    u64 early_end_;
    PageAllocator *pages_ = nullptr;
    PageTable table_;
};

} // namespace sel4vm::el2
