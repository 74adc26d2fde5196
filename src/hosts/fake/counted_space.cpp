// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/counted_space.hpp>

namespace sel4vm::fake {

namespace {
Err<HostError> out_of_memory() { return Err{HostError{HostErrorKind::out_of_memory}}; }
} // namespace

Result<RamBlock, HostError> CountedSpace::allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing) {
    if (host_.refuses())
        return out_of_memory();
    auto block = inner_.allocate_ram(size_bytes, alignment, clearing);
    if (block)
        host_.note_made();
    return block;
}

void CountedSpace::free_ram(const RamBlock &block) {
    host_.note_gone();
    inner_.free_ram(block);
}

Status<HostError> CountedSpace::map_ram(GpaRange at, const RamBlock &block, u64 offset, Protection protection) {
    if (host_.refuses())
        return out_of_memory();
    return inner_.map_ram(at, block, offset, protection);
}

Status<HostError> CountedSpace::map_device(GpaRange at, HostPhys phys) {
    if (host_.refuses())
        return out_of_memory();
    return inner_.map_device(at, phys);
}

Status<HostError> CountedSpace::reserve_tables(GpaRange at) {
    if (host_.refuses())
        return out_of_memory();
    return inner_.reserve_tables(at);
}

} // namespace sel4vm::fake
