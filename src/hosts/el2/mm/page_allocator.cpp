// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/mm/page_allocator.hpp>

#include <hosts/el2/mm/cache.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>

namespace sel4vm::el2 {
namespace {

constexpr u64 kBlockBytes = 2 * kMiB;

HostPhysRange range_of(u64 base, u64 size_bytes) { return *HostPhysRange::make(HostPhys{base}, size_bytes); }

} // namespace

void PageAllocator::add(HostPhysRange range) {
    const u64 base = range.base().value();
    const u64 end = range.end().value();
    u64 first_block = std::min(*align_up(base, kBlockBytes), end);
    const u64 last_block = std::max(align_down(end, kBlockBytes), first_block);
    if (host_.free_bytes() == 0 && first_block == base && last_block != first_block)
        first_block += kBlockBytes; // the host needs something to begin with: its own tables
    const auto add_to = [&](PagePool &pool, HostMemory kind, u64 from, u64 to) {
        if (from == to)
            return;
        SEL4VM_ASSERT(map_.map(range_of(from, to - from), kind).has_value());
        pool.add(range_of(from, to - from));
    };
    add_to(host_, HostMemory::data, base, first_block);
    add_to(host_, HostMemory::data, last_block, end);
    add_to(guest_, HostMemory::uncached, first_block, last_block);
}

std::optional<HostPhys> PageAllocator::allocate(u64 size_bytes, u64 alignment) {
    const auto found = find(size_bytes, alignment);
    if (found)
        used_bytes_ += size_bytes;
    return found;
}

std::optional<HostPhys> PageAllocator::find(u64 size_bytes, u64 alignment) {
    if (auto found = host_.allocate(size_bytes, alignment, PagePool::From::high))
        return found;
    const auto blocks = align_up(size_bytes, kBlockBytes);
    if (!blocks)
        return std::nullopt;
    const auto more = guest_.allocate(*blocks, std::max(alignment, kBlockBytes), PagePool::From::high);
    if (!more)
        return std::nullopt;
    // Whole blocks: no table is needed for this, so it cannot fail.
    SEL4VM_ASSERT(map_.change(range_of(more->value(), *blocks), HostMemory::data).has_value());
    host_.add(range_of(more->value(), *blocks));
    return host_.allocate(size_bytes, alignment, PagePool::From::high);
}

void PageAllocator::free(HostPhys base, u64 size_bytes) {
    used_bytes_ -= size_bytes;
    host_.add(range_of(base.value(), size_bytes));
}

Result<RamBlock, HostError> PageAllocator::allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing) {
    if (size_bytes == 0 || !is_aligned(size_bytes, kPageBytes) || !is_power_of_two(alignment) || alignment < kPageBytes)
        return Err{HostError{HostErrorKind::invalid}};
    const auto block_at = [](HostPhys at, u64 size) {
        // SAFETY: the host maps all RAM at its own address, for as long as the block lives.
        return RamBlock{at, reinterpret_cast<volatile u8 *>(at.value()), size};
    };

    if (size_bytes >= kBlockBytes) {
        const u64 wanted_alignment = std::max(alignment, kBlockBytes);
        const u64 wanted = align_down(size_bytes, kBlockBytes);
        // Gigabyte alignment lets stage 2 use gigabyte blocks; worth a try, no more.
        std::optional<HostPhys> at;
        u64 size = wanted;
        if (wanted >= kGiB)
            at = guest_.allocate(size, std::max(wanted_alignment, kGiB), PagePool::From::low);
        if (!at)
            at = guest_.allocate(size, wanted_alignment, PagePool::From::low);
        if (!at) {
            size = std::min(wanted, guest_.largest(wanted_alignment, kBlockBytes));
            if (size != 0)
                at = guest_.allocate(size, wanted_alignment, PagePool::From::low);
        }
        if (at) {
            used_bytes_ += size;
            if (clearing == Clearing::cleared)
                clear_memory(at->value(), size);
            dsb_sy();
            SEL4VM_ASSERT(map_.change(range_of(at->value(), size), HostMemory::data).has_value());
            return block_at(*at, size);
        }
    }

    // Less than a block, or no whole block is left: pages of the host, which no cache may keep a line of afterwards.
    u64 size = std::min(size_bytes, kBlockBytes - kPageBytes);
    auto at = allocate(size, alignment);
    while (!at && size > kPageBytes) {
        size = std::max(align_down(size / 2, kPageBytes), kPageBytes);
        at = allocate(size, alignment);
    }
    if (!at)
        return Err{HostError{HostErrorKind::out_of_memory}};
    if (clearing == Clearing::cleared)
        clear_memory(at->value(), size);
    clean_and_drop(at->value(), size);
    return block_at(*at, size);
}

Result<RamBlock, HostError> PageAllocator::allocate_ram_at(HostPhysRange range, Clearing clearing) {
    if (!range.is_aligned_to(kPageBytes))
        return Err{HostError{HostErrorKind::invalid}};
    const u64 base = range.base().value();
    if (!host_.allocate_at(range)) {
        // The blocks around it become the host's; what of them is not asked for stays with the host.
        const u64 first = align_down(base, kBlockBytes);
        const auto end = align_up(range.end().value(), kBlockBytes);
        if (!end || !guest_.allocate_at(range_of(first, *end - first)))
            return Err{HostError{HostErrorKind::busy}};
        SEL4VM_ASSERT(map_.change(range_of(first, *end - first), HostMemory::data).has_value());
        host_.add(range_of(first, *end - first));
        SEL4VM_ASSERT(host_.allocate_at(range));
    }
    used_bytes_ += range.size();
    if (clearing == Clearing::cleared)
        clear_memory(base, range.size());
    clean_and_drop(base, range.size());
    // SAFETY: the host maps all RAM at its own address, for as long as the block lives.
    return RamBlock{range.base(), reinterpret_cast<volatile u8 *>(base), range.size()};
}

void PageAllocator::free_ram(const RamBlock &block) {
    const u64 base = block.phys.value();
    used_bytes_ -= block.size_bytes;
    clean_and_drop(base, block.size_bytes);
    if (!is_aligned(base | block.size_bytes, kBlockBytes)) {
        host_.add(range_of(base, block.size_bytes));
        return;
    }
    SEL4VM_ASSERT(map_.change(range_of(base, block.size_bytes), HostMemory::uncached).has_value());
    guest_.add(range_of(base, block.size_bytes));
}

} // namespace sel4vm::el2
