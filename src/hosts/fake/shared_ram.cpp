// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/shared_ram.hpp>

#include <sel4vm/base/assert.hpp>

#include <cstdlib>
#include <cstring>

namespace sel4vm::fake {

void SharedRam::Free::operator()(u8 *bytes) const { std::free(bytes); }

Result<RamBlock, HostError> SharedRam::allocate_shared(u64 size_bytes) {
    u8 *const bytes =
        size_bytes <= largest_block_ ? static_cast<u8 *>(std::aligned_alloc(kPageBytes, size_bytes)) : nullptr;
    if (bytes == nullptr)
        return Err{HostError{HostErrorKind::out_of_memory}};
    std::memset(bytes, 0, size_bytes);
    blocks_[bytes].reset(bytes);
    // SAFETY: the fake host's physical address of a window is the window's own.
    return RamBlock{HostPhys{reinterpret_cast<u64>(bytes)}, bytes, size_bytes};
}

void SharedRam::free_shared(const RamBlock &block) {
    const auto gone = blocks_.erase(block.window);
    SEL4VM_ASSERT(gone == 1);
}

} // namespace sel4vm::fake
