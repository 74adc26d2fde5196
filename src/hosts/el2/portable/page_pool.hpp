// SPDX-License-Identifier: BSD-2-Clause
//
// Free physical memory as a list of ranges in address order. A range's list node lies in its own first bytes, so there is nothing to set
// up per page and no limit to the number of ranges; memory handed out therefore holds stale nodes. The memory is reached at
// its physical address. Deliberately no knowledge of caches or owners; callers return exactly what they took, whole or in parts.
#pragma once

#include <sel4vm/base/range.hpp>

#include <optional>

namespace sel4vm::el2 {

class PagePool {
public:
    /// From which end of free memory to take: small blocks high, large ones low, so that they do not interleave.
    enum class From : u8 { low, high };

    PagePool() = default;
    PagePool(const PagePool &) = delete;
    PagePool &operator=(const PagePool &) = delete;

    /// Makes a page-aligned range free. Being free already, in part or whole, is our bug.
    void add(HostPhysRange range);
    /// `size_bytes` a multiple of the page size, `alignment` a power of two of at least that.
    [[nodiscard]] std::optional<HostPhys> allocate(u64 size_bytes, u64 alignment, From from);
    /// Takes exactly this range; false when a part of it is not free.
    [[nodiscard]] bool allocate_at(HostPhysRange range);
    /// The size of the largest block with this alignment, a multiple of `granule`; 0 when there is none.
    [[nodiscard]] u64 largest(u64 alignment, u64 granule) const;
    [[nodiscard]] u64 free_bytes() const { return free_bytes_; }

private:
    struct Node {
        Node *next;
        u64 size_bytes;
        [[nodiscard]] u64 base() const { return reinterpret_cast<uptr>(this); }
        [[nodiscard]] u64 end() const { return base() + size_bytes; }
    };
    static Node *place(u64 base, Node *next, u64 size_bytes);
    void take(Node **link, u64 base, u64 size_bytes);

    Node *first_ = nullptr;
    u64 free_bytes_ = 0;
};

} // namespace sel4vm::el2
