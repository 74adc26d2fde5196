// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/mm/heap.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>
#include <new>

namespace sel4vm::el2 {
namespace {

/// log2 of the size class; blocks of a class are aligned to their size.
unsigned shift_for(usize size_bytes, usize alignment) {
    return static_cast<unsigned>(std::bit_width(std::max(size_bytes, alignment) - 1));
}

} // namespace

void *Heap::allocate(usize size_bytes, usize alignment) {
    SEL4VM_ASSERT(size_bytes > 0 && is_power_of_two(alignment));
    const unsigned shift = std::max(shift_for(size_bytes, alignment), kFirstShift);
    if (shift > kLastShift) {
        const auto bytes = align_up(size_bytes, kPageBytes);
        const auto pages = bytes ? pages_.allocate(*bytes, std::max<u64>(alignment, kPageBytes)) : std::nullopt;
        // SAFETY: host pages are mapped at their own address.
        return pages ? reinterpret_cast<void *>(pages->value()) : nullptr;
    }
    Free *&list = free_[shift - kFirstShift];
    if (list == nullptr) {
        const auto page = pages_.allocate(kPageBytes);
        if (!page)
            return nullptr;
        class_bytes_ += kPageBytes;
        for (u64 at = 0; at < kPageBytes; at += u64{1} << shift)
            list = ::new (reinterpret_cast<void *>(page->value() + at)) Free{list};
    }
    Free *block = list;
    list = block->next;
    class_used_bytes_ += u64{1} << shift;
    return block;
}

void Heap::deallocate(void *block, usize size_bytes, usize alignment) {
    const unsigned shift = std::max(shift_for(size_bytes, alignment), kFirstShift);
    if (shift > kLastShift) {
        pages_.free(HostPhys{reinterpret_cast<uptr>(block)}, *align_up(size_bytes, kPageBytes));
        return;
    }
    Free *&list = free_[shift - kFirstShift];
    list = ::new (block) Free{list};
    class_used_bytes_ -= u64{1} << shift;
}

} // namespace sel4vm::el2
