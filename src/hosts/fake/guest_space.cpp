// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/guest_space.hpp>

#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

namespace sel4vm::fake {

namespace {
/// The fake host's physical address of a window: the window's own address.
u64 phys_of(const volatile u8 *window) { return reinterpret_cast<u64>(window); }
} // namespace

GuestSpace::~GuestSpace() {
    for (const auto &[window, size] : blocks_)
        munmap(reinterpret_cast<void *>(window), size);
}

Result<RamBlock, HostError> GuestSpace::allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing) {
    SEL4VM_ASSERT(size_bytes > 0 && is_aligned(size_bytes, kPageBytes) && alignment >= kPageBytes);
    const u64 bytes = size_bytes < largest_block_ ? size_bytes : largest_block_;
    if (refuse() || bytes > budget_)
        return Err{HostError{HostErrorKind::out_of_memory}};
    void *window = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (window == MAP_FAILED)
        return Err{HostError{HostErrorKind::out_of_memory}};
    // Memory that the core must not assume to be clear is made visibly dirty, as far as a test would look.
    if (clearing == Clearing::skip)
        std::memset(window, 0xa5, bytes < 64 * kMiB ? bytes : 64 * kMiB);
    budget_ -= bytes;
    blocks_[reinterpret_cast<u64>(window)] = bytes;
    auto *bytes_window = static_cast<u8 *>(window);
    return RamBlock{HostPhys{phys_of(bytes_window)}, bytes_window, bytes};
}

void GuestSpace::free_ram(const RamBlock &block) {
    const auto found = blocks_.find(phys_of(block.window));
    SEL4VM_ASSERT(found != blocks_.end() && found->second == block.size_bytes);
    for (const auto &[gpa, page] : pages_)
        SEL4VM_ASSERT(page.device || page.phys < block.phys.value() ||
                      page.phys >= block.phys.value() + block.size_bytes);
    munmap(const_cast<u8 *>(block.window), block.size_bytes);
    budget_ += found->second;
    blocks_.erase(found);
}

Status<HostError> GuestSpace::map_ram(GpaRange at, const RamBlock &block, u64 offset, Protection protection) {
    SEL4VM_ASSERT(at.is_aligned_to(kPageBytes) && is_aligned(offset, kPageBytes));
    SEL4VM_ASSERT(offset <= block.size_bytes && at.size() <= block.size_bytes - offset);
    if (refuse())
        return Err{HostError{HostErrorKind::out_of_memory}};
    for (u64 done = 0; done < at.size(); done += kPageBytes) {
        if (pages_.contains(at.base().value() + done))
            return Err{HostError{HostErrorKind::invalid}};
    }
    for (u64 done = 0; done < at.size(); done += kPageBytes)
        pages_[at.base().value() + done] = Page{block.phys.value() + offset + done, protection, false};
    return Ok{};
}

Status<HostError> GuestSpace::map_device(GpaRange at, HostPhys phys) {
    SEL4VM_ASSERT(at.is_aligned_to(kPageBytes) && is_aligned(phys.value(), kPageBytes));
    if (refuse())
        return Err{HostError{HostErrorKind::out_of_memory}};
    for (u64 done = 0; done < at.size(); done += kPageBytes) {
        if (!pages_.emplace(at.base().value() + done, Page{phys.value() + done, Protection::read_write, true}).second)
            return Err{HostError{HostErrorKind::invalid}};
    }
    return Ok{};
}

Status<HostError> GuestSpace::protect(GpaRange at, Protection protection) {
    for (u64 done = 0; done < at.size(); done += kPageBytes) {
        const auto found = pages_.find(at.base().value() + done);
        if (found == pages_.end())
            return Err{HostError{HostErrorKind::invalid}};
        found->second.protection = protection;
    }
    return Ok{};
}

void GuestSpace::unmap(GpaRange at) {
    pages_.erase(pages_.lower_bound(at.base().value()), pages_.lower_bound(at.end().value()));
}

Status<HostError> GuestSpace::reserve_tables(GpaRange) {
    if (refuse())
        return Err{HostError{HostErrorKind::out_of_memory}};
    return Ok{};
}

void GuestSpace::clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) {
    SEL4VM_ASSERT(offset <= block.size_bytes && size_bytes <= block.size_bytes - offset);
    cleaned_bytes_ += size_bytes;
}

std::optional<GuestMemory::Page> GuestSpace::look_up(Gpa at) const {
    const Page *const found = page(at);
    return found == nullptr ? std::nullopt : std::optional<Page>{*found};
}

const GuestSpace::Page *GuestSpace::page(Gpa at) const {
    const auto found = pages_.find(align_down(at.value(), kPageBytes));
    return found == pages_.end() ? nullptr : &found->second;
}

} // namespace sel4vm::fake
