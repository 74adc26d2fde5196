// SPDX-License-Identifier: BSD-2-Clause
//
// The list of RAM regions that a client sees in vm_t.mem, and the allocator over it. Only the list: whether there is memory
// behind it is GuestMemory's business. Regions are sorted and disjoint, and neighbours of one state are joined.
#pragma once

#include <sel4vm/base/range.hpp>
#include <sel4vm/capi/growing_array.hpp>

#include <sel4vm/guest_vm.h>

#include <optional>

namespace sel4vm::capi {

enum class RamUse : u8 { free, allocated };

class RamRegions {
public:
    /// `mem` shows the list to the client.
    RamRegions(Allocator &allocator, vm_mem &mem) : regions_(allocator), mem_(mem) {}

    /// Adds free RAM that overlaps no region. False without memory for the list; nothing has changed then.
    [[nodiscard]] bool add(GpaRange range);
    /// Makes sure that the next add() cannot fail.
    [[nodiscard]] bool prepare() { return regions_.reserve(1); }
    /// Marks those parts of the range that are regions. False as for add().
    [[nodiscard]] bool mark(GpaRange range, RamUse use);
    /// Marks the first free `size_bytes` as allocated.
    [[nodiscard]] std::optional<Gpa> allocate(u64 size_bytes);
    [[nodiscard]] std::optional<GpaRange> largest_free() const;

private:
    void join_neighbours();
    GrowingArray<vm_ram_region> regions_;
    vm_mem &mem_;
};

} // namespace sel4vm::capi
