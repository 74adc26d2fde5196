// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/guest_space.hpp>

#include <sel4vm/base/assert.hpp>

#include <sys/mman.h>

namespace sel4vm::kvm {

namespace {

/// To the point where a guest whose caches are off sees it, and where instructions are fetched. KVM does the same for each page that it maps, but not
/// when we write to one that is mapped.
void clean_caches(volatile u8 *window, u64 size_bytes) {
#ifdef __aarch64__
    u64 type = 0;
    asm volatile("mrs %0, ctr_el0" : "=r"(type));
    const u64 line = u64{4} << (type >> 16 & 0xf); // DminLine, in words
    // SAFETY: the instruction takes an address; the memory is the caller's.
    const u64 first = align_down(reinterpret_cast<u64>(window), line);
    const u64 end = reinterpret_cast<u64>(window) + size_bytes;
    for (u64 at = first; at < end; at += line)
        asm volatile("dc cvac, %0" ::"r"(at) : "memory");
    asm volatile("dsb sy" ::: "memory");
    // SAFETY: as above; the type of the builtin's arguments.
    char *const text = const_cast<char *>(reinterpret_cast<volatile char *>(window));
    __builtin___clear_cache(text, text + size_bytes);
#else
    static_cast<void>(window);
    static_cast<void>(size_bytes);
#endif
}

} // namespace

Result<RamBlock, HostError> allocate_block(u64 size_bytes, u64 alignment) {
    SEL4VM_ASSERT(size_bytes > 0 && is_aligned(size_bytes, kPageBytes) && alignment >= kPageBytes);
    // Some more, of which the ends are given back: a mapping is aligned to pages only. The kernel clears it in any case.
    const u64 slack = alignment - kPageBytes;
    void *const mapped =
        mmap(nullptr, size_bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED)
        return Err{host_error(errno)};
    u8 *const first = static_cast<u8 *>(mapped);
    // SAFETY: an address as a number, to align it.
    const u64 before = (-reinterpret_cast<u64>(first)) & (alignment - 1);
    if (before > 0)
        munmap(first, before);
    if (before < slack)
        munmap(first + before + size_bytes, slack - before);
    u8 *const window = first + before;
    static_cast<void>(madvise(window, size_bytes, MADV_HUGEPAGE)); // a wish
    // SAFETY: the process has no physical addresses: its own stand for them.
    return RamBlock{HostPhys{reinterpret_cast<u64>(window)}, window, size_bytes};
}

void free_block(const RamBlock &block) { munmap(const_cast<u8 *>(block.window), block.size_bytes); }

Result<RamBlock, HostError> GuestSpace::allocate_ram(u64 size_bytes, u64 alignment, Clearing) {
    return allocate_block(size_bytes, alignment);
}

void GuestSpace::free_ram(const RamBlock &block) { free_block(block); }

Status<HostError> GuestSpace::tell(std::vector<SlotRequest> &requests) {
    for (SlotRequest &request : requests) {
        if (const auto told = vm_.request_with(KVM_SET_USER_MEMORY_REGION, request); !told)
            return Err{told.error()};
    }
    return Ok{};
}

Status<HostError> GuestSpace::map_ram(GpaRange at, const RamBlock &block, u64 offset, Protection protection) {
    SEL4VM_ASSERT(at.is_aligned_to(kPageBytes) && is_aligned(offset, kPageBytes));
    SEL4VM_ASSERT(offset <= block.size_bytes && at.size() <= block.size_bytes - offset);
    const std::scoped_lock guard(lock_);
    SlotRequest request = SEL4VM_TRY(slots_.add(at, block.phys.value() + offset, protection));
    if (const auto told = vm_.request_with(KVM_SET_USER_MEMORY_REGION, request); !told) {
        slots_.forget(request);
        return Err{told.error()};
    }
    return Ok{};
}

Status<HostError> GuestSpace::map_device(GpaRange, HostPhys) { return Err{HostError{HostErrorKind::not_available}}; }

Status<HostError> GuestSpace::protect(GpaRange at, Protection protection) {
    const std::scoped_lock guard(lock_);
    auto requests = SEL4VM_TRY(slots_.protect(at, protection));
    return tell(requests);
}

void GuestSpace::unmap(GpaRange at) {
    const std::scoped_lock guard(lock_);
    auto requests = slots_.remove(at);
    SEL4VM_ASSERT(requests);
    const auto told = tell(*requests);
    SEL4VM_ASSERT(told);
}

Result<HostPhys, HostError> GuestSpace::translate(Gpa at, u64 size_bytes) {
    const std::scoped_lock guard(lock_);
    const auto window = slots_.window_of(at, size_bytes);
    if (!window)
        return Err{HostError{HostErrorKind::invalid}};
    return HostPhys{*window};
}

// The kernel makes tables when it maps; it has no way to run out of them but to end the process.
Status<HostError> GuestSpace::reserve_tables(GpaRange) { return Ok{}; }

void GuestSpace::clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) {
    SEL4VM_ASSERT(offset <= block.size_bytes && size_bytes <= block.size_bytes - offset);
    clean_caches(block.window + offset, size_bytes);
}

} // namespace sel4vm::kvm
