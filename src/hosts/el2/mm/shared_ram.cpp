// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/mm/shared_ram.hpp>

namespace sel4vm::el2 {

Result<RamBlock, HostError> SharedRam::allocate_shared(u64 size_bytes) {
    const u64 alignment = size_bytes >= 2 * kMiB ? 2 * kMiB : kPageBytes; // as guests usually have it
    RamBlock block = SEL4VM_TRY(pages_.allocate_ram(size_bytes, alignment, Clearing::cleared));
    if (block.size_bytes >= size_bytes)
        return block;
    pages_.free_ram(block); // the largest that there is
    return Err{HostError{HostErrorKind::out_of_memory}};
}

} // namespace sel4vm::el2
