// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/el2/adopting_space.hpp>

#include <bindings/el2/objects.hpp>
#include <hosts/el2/mm/cache.hpp>

#include <algorithm>

namespace sel4vm::el2 {

namespace {

/// Above every physical address that is mapped at itself (48 bits of address, RAM in the lower half of them).
constexpr u64 kWindows = u64{1} << 47;
constexpr u64 kWindowsEnd = u64{1} << 48;

Err<HostError> fail(HostErrorKind kind) { return Err{HostError{kind}}; }

HostPhysRange pages_at(u64 base, u64 size_bytes) { return *HostPhysRange::make(HostPhys{base}, size_bytes); }

} // namespace

AdoptingSpace::~AdoptingSpace() {
    while (adopted_)
        free_ram({HostPhys{0}, reinterpret_cast<volatile u8 *>(adopted_->window), adopted_->size_bytes});
}

AdoptingSpace::Adopted *AdoptingSpace::find(const RamBlock &block) {
    const u64 window = reinterpret_cast<uptr>(block.window);
    if (window < kWindows)
        return nullptr;
    Adopted *at = adopted_.get();
    while (at != nullptr && at->window != window)
        at = at->next.get();
    SEL4VM_ASSERT(at != nullptr);
    return at;
}

// Windows of one VM never move; those of another VM are kept apart by trying again where they are.
u64 AdoptingSpace::free_window(u64 size_bytes) const {
    u64 at = kWindows;
    while (at <= kWindowsEnd - size_bytes) {
        u64 offset = 0;
        while (offset < size_bytes && !host_.map().is_mapped(HostPhys{at + offset}))
            offset += kPageBytes;
        if (offset >= size_bytes)
            return at;
        at += offset + kPageBytes;
    }
    return 0;
}

Status<HostError> AdoptingSpace::collect(Adopted &block, Gpa at, const capi::FrameSource &frames) {
    u64 offset = 0;
    while (offset < block.size_bytes) {
        const vm_frame_t frame = frames.next(at.value() + offset, frames.cookie);
        const auto memory = frame_range(frame.cptr);
        if (!memory || memory->size() > block.size_bytes - offset)
            return fail(HostErrorKind::invalid);
        for (u64 in_frame = 0; in_frame < memory->size(); in_frame += kPageBytes)
            block.pages[(offset + in_frame) / kPageBytes] = memory->base().value() + in_frame;
        offset += memory->size();
    }
    return Ok{};
}

template <class Visit>
Status<HostError> AdoptingSpace::each_run(const Adopted &block, u64 offset, u64 size_bytes, Visit visit) {
    u64 done = 0;
    while (done < size_bytes) {
        const u64 first = block.pages[(offset + done) / kPageBytes];
        u64 bytes = kPageBytes;
        while (done + bytes < size_bytes && block.pages[(offset + done + bytes) / kPageBytes] == first + bytes)
            bytes += kPageBytes;
        if (auto visited = visit(first, done, bytes); !visited)
            return visited;
        done += bytes;
    }
    return Ok{};
}

Status<HostError> AdoptingSpace::open_window(Adopted &block) {
    block.window = free_window(block.size_bytes);
    if (block.window == 0)
        return fail(HostErrorKind::out_of_memory);
    const auto opened = each_run(block, 0, block.size_bytes, [&](u64 page, u64 done, u64 bytes) {
        // What the client or a former guest left in the caches must not come back over what the guest sees.
        clean_to_memory(page, bytes);
        return host_.map().map_again(block.window + done, pages_at(page, bytes));
    });
    if (!opened)
        host_.map().unmap(pages_at(block.window, block.size_bytes));
    return opened;
}

Result<RamBlock, HostError> AdoptingSpace::adopt(Gpa at, u64 size_bytes, const capi::FrameSource &frames) {
    if (size_bytes == 0 || !is_aligned(size_bytes | at.value(), kPageBytes) || frames.next == nullptr)
        return fail(HostErrorKind::invalid);
    auto block = Owned<Adopted>::make(host_.heap());
    if (!block)
        return fail(HostErrorKind::out_of_memory);
    block->size_bytes = size_bytes;
    block->pages = OwnedArray<u64>::make(host_.heap(), size_bytes / kPageBytes);
    if (!block->pages)
        return fail(HostErrorKind::out_of_memory);
    if (auto collected = collect(*block, at, frames); !collected)
        return Err{collected.error()};
    if (auto opened = open_window(*block); !opened)
        return Err{opened.error()};
    // SAFETY: the window is mapped until free_ram().
    const RamBlock result{HostPhys{block->pages[0]}, reinterpret_cast<volatile u8 *>(block->window), size_bytes};
    block->next = std::move(adopted_);
    adopted_ = std::move(block);
    return result;
}

void AdoptingSpace::free_ram(const RamBlock &block) {
    Adopted *const adopted = find(block);
    if (adopted == nullptr)
        return space_->free_ram(block);
    host_.map().unmap(pages_at(adopted->window, adopted->size_bytes));
    Owned<Adopted> *link = &adopted_;
    while (link->get() != adopted)
        link = &(*link)->next;
    Owned<Adopted> rest = std::move(adopted->next);
    *link = std::move(rest);
}

Status<HostError> AdoptingSpace::map_ram(GpaRange at, const RamBlock &block, u64 offset, Protection protection) {
    Adopted *const adopted = find(block);
    if (adopted == nullptr)
        return space_->map_ram(at, block, offset, protection);
    if (!at.is_aligned_to(kPageBytes) || !is_aligned(offset, kPageBytes) || offset > adopted->size_bytes ||
        at.size() > adopted->size_bytes - offset)
        return fail(HostErrorKind::invalid);
    u64 mapped = 0;
    const auto done = each_run(*adopted, offset, at.size(), [&](u64 page, u64 before, u64 bytes) -> Status<HostError> {
        // SAFETY: RAM is mapped at its own address.
        const RamBlock run{HostPhys{page}, reinterpret_cast<volatile u8 *>(page), bytes};
        auto result = space_->map_ram(*GpaRange::make(Gpa{at.base().value() + before}, bytes), run, 0, protection);
        if (result)
            mapped = before + bytes;
        return result;
    });
    if (!done && mapped != 0)
        space_->unmap(*GpaRange::make(at.base(), mapped));
    return done;
}

void AdoptingSpace::clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) {
    Adopted *const adopted = find(block);
    if (adopted == nullptr)
        return space_->clean_to_guest(block, offset, size_bytes);
    SEL4VM_ASSERT(offset <= adopted->size_bytes && size_bytes <= adopted->size_bytes - offset);
    if (size_bytes == 0)
        return;
    clean_to_memory(adopted->window + offset, size_bytes);
    drop_instructions();
}

Status<HostError> AdoptingSpace::map_frame(Gpa at, const vm_frame_t &frame) {
    const auto memory = frame_range(frame.cptr);
    const auto range = memory ? GpaRange::make(at, memory->size()) : std::nullopt;
    if (!range || !is_aligned(at.value(), memory->size()))
        return fail(HostErrorKind::invalid);
    if (seL4_CapRights_get_capAllowRead(frame.rights) == 0)
        return Ok{}; // every access faults
    if (!is_ram(host_.platform(), memory->base())) {
        if (auto mapped = space_->map_device(*range, memory->base()); !mapped)
            return mapped;
        return seL4_CapRights_get_capAllowWrite(frame.rights) != 0 ? Status<HostError>{Ok{}}
                                                                   : space_->protect(*range, Protection::read_only);
    }
    const Protection protection =
        seL4_CapRights_get_capAllowWrite(frame.rights) != 0 ? Protection::read_write_execute : Protection::read_execute;
    // SAFETY: RAM is mapped at its own address.
    const RamBlock block{memory->base(), reinterpret_cast<volatile u8 *>(memory->base().value()), memory->size()};
    clean_to_memory(memory->base().value(), memory->size()); // the guest may look at it with its caches off
    return space_->map_ram(*range, block, 0, protection);
}

} // namespace sel4vm::el2
