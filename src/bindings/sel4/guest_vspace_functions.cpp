// SPDX-License-Identifier: BSD-2-Clause
//
// The functions behind the guest's vspace_t, as <vspace/vspace.h> describes them.
#include <bindings/sel4/guest_vspace.hpp>

#include <sel4vm/base/bits.hpp>

#include <sel4vm/guest_memory.h>

namespace sel4vm::sel4 {

namespace {

// SAFETY: the interface has addresses as pointers; these are the guest's and never followed.
Gpa gpa_of(const void *at) { return Gpa{reinterpret_cast<u64>(at)}; }
void *pointer_of(Gpa at) { return reinterpret_cast<void *>(at.value()); }

/// The pages that [at, at + bytes) touches.
std::optional<GpaRange> pages_of(const void *at, size_t bytes) {
    const u64 base = align_down(gpa_of(at).value(), kPageBytes);
    const auto end =
        bytes <= ~u64{0} - gpa_of(at).value() ? align_up(gpa_of(at).value() + bytes, kPageBytes) : std::nullopt;
    return end ? GpaRange::make(Gpa{base}, *end - base) : std::nullopt;
}

// A fault there is nobody's: the unhandled-fault callback and the policy decide.
memory_fault_result_t on_fault(vm_t *, vm_vcpu_t *, uintptr_t, size_t, void *) { return FAULT_UNHANDLED; }

} // namespace

vspace_t GuestVspace::interface() {
    vspace_t vspace{};
    vspace.data = &data_;
    vspace.new_pages = new_pages;
    vspace.map_pages = map_pages;
    vspace.new_pages_at_vaddr = new_pages_at;
    vspace.map_pages_at_vaddr = map_pages_at;
    vspace.deferred_rights_map_pages_at_vaddr = map_pages_with_rights_at;
    vspace.unmap_pages = unmap_pages;
    vspace.tear_down = tear_down;
    vspace.reserve_range_aligned = reserve_aligned;
    vspace.reserve_range_at = reserve_at;
    vspace.reserve_deferred_rights_range_at = reserve_for_rights_at;
    vspace.free_reservation = free_reservation;
    vspace.free_reservation_by_vaddr = free_reservation_at;
    vspace.get_cap = get_cap;
    vspace.get_root = get_root;
    vspace.get_cookie = get_cookie;
    vspace.share_mem_at_vaddr = share_at;
    return vspace;
}

// ---------------------------------------------------------------- Reserving

reservation_t GuestVspace::reserve_at(vspace_t *vspace, void *at, size_t bytes, seL4_CapRights_t rights,
                                      int cacheable) {
    GuestVspace &self = of(vspace);
    const auto range = pages_of(at, bytes);
    auto *const held =
        range ? vm_reserve_memory_at(&self.vm_, range->base().value(), range->size(), on_fault, nullptr) : nullptr;
    return held != nullptr ? self.keep(*range, held, {rights, cacheable, false}) : reservation_t{};
}

reservation_t GuestVspace::reserve_for_rights_at(vspace_t *vspace, void *at, size_t bytes, int cacheable) {
    const reservation_t reservation = reserve_at(vspace, at, bytes, seL4_NoRights, cacheable);
    if (Region *const region = of(vspace).find(reservation); region != nullptr)
        region->res.rights_deferred = true;
    return reservation;
}

// Where the client has no anonymous memory, in the upper half of the guest's addresses, which nothing else uses.
reservation_t GuestVspace::reserve_aligned(vspace_t *vspace, size_t bytes, size_t bits, seL4_CapRights_t rights,
                                           int cacheable, void **at) {
    GuestVspace &self = of(vspace);
    const auto range = pages_of(nullptr, bytes);
    if (!range || bits < seL4_PageBits || bits > seL4_HugePageBits)
        return {};
    if (!self.has_anonymous_range_) {
        const u64 upper = bit(self.space_.address_bits() - 1);
        self.has_anonymous_range_ = vm_memory_make_anon(&self.vm_, upper, upper) == 0;
    }
    uintptr_t base = 0;
    auto *const held =
        vm_reserve_anon_memory(&self.vm_, range->size(), bit(static_cast<unsigned>(bits)), on_fault, nullptr, &base);
    if (held == nullptr)
        return {};
    *at = pointer_of(Gpa{base});
    return self.keep(*GpaRange::make(Gpa{base}, range->size()), held, {rights, cacheable, false});
}

void GuestVspace::free_reservation(vspace_t *vspace, reservation_t reservation) {
    GuestVspace &self = of(vspace);
    if (Region *const region = self.find(reservation); region != nullptr) {
        region->freed = true;
        self.free_if_unused(region);
    }
}

void GuestVspace::free_reservation_at(vspace_t *vspace, void *at) {
    if (Region *const region = of(vspace).find(gpa_of(at)); region != nullptr)
        free_reservation(vspace, {&region->res});
}

// ---------------------------------------------------------------- Mapping

// Called by libsel4utils, with a copy of a frame's capability that it made for this guest.
int GuestVspace::map_page(vspace_t *vspace, seL4_CPtr cap, void *at, seL4_CapRights_t rights, int cacheable,
                          size_t bits) {
    GuestVspace &self = of(vspace);
    const Page page{.at = gpa_of(at),
                    .size_bits = static_cast<unsigned>(bits),
                    .cap = cap,
                    .owner = Owner::vspace,
                    .region = self.find(gpa_of(at))};
    return self.map(page, rights, cacheable) ? 0 : -1;
}

int GuestVspace::map_all(const Span &span, const seL4_CPtr *caps, const uintptr_t *cookies, const Rights &rights,
                         Region *region) {
    for (usize i = 0; i < span.count; ++i) {
        const Page page{.at = span[i],
                        .size_bits = span.size_bits,
                        .cap = caps[i],
                        .cookie = cookies != nullptr ? cookies[i] : 0,
                        .region = region};
        if (!map(page, rights.rights, rights.cacheable)) {
            unmap_all({span.at, i, span.size_bits}, VSPACE_PRESERVE);
            return -1;
        }
    }
    return 0;
}

int GuestVspace::new_all(const Span &span, Region *region, bool can_use_device) {
    for (usize i = 0; i < span.count; ++i) {
        vka_object_t frame{};
        {
            const Guard guard(*this);
            if (vka_alloc_object_at_maybe_dev(vm_.vka, frame_type(span.size_bits), span.size_bits, VKA_NO_PADDR,
                                              can_use_device, &frame) != 0)
                frame.cptr = seL4_CapNull;
        }
        const Page page{.at = span[i],
                        .size_bits = span.size_bits,
                        .cap = frame.cptr,
                        .cookie = frame.ut,
                        .owner = Owner::vspace,
                        .region = region};
        if (frame.cptr == seL4_CapNull || !map(page, region->res.rights, region->res.cacheable)) {
            if (frame.cptr != seL4_CapNull) {
                const Guard guard(*this);
                vka_free_object(vm_.vka, &frame);
            }
            unmap_all({span.at, i, span.size_bits}, VSPACE_FREE);
            return -1;
        }
    }
    return 0;
}

void GuestVspace::unmap_all(const Span &span, vka_t *free) {
    for (usize i = 0; i < span.count; ++i) {
        if (Page *const page = find_page(span[i], span.size_bits); page != nullptr)
            unmap(page, free);
    }
}

int GuestVspace::map_pages_at(vspace_t *vspace, seL4_CPtr *caps, uintptr_t *cookies, void *at, size_t count,
                              size_t bits, reservation_t reservation) {
    GuestVspace &self = of(vspace);
    Region *const region = self.find(reservation);
    if (region == nullptr || region->res.rights_deferred)
        return -1;
    return self.map_all({gpa_of(at), count, static_cast<unsigned>(bits)}, caps, cookies,
                        {region->res.rights, region->res.cacheable, false}, region);
}

int GuestVspace::map_pages_with_rights_at(vspace_t *vspace, seL4_CPtr *caps, uintptr_t *cookies, void *at, size_t count,
                                          size_t bits, seL4_CapRights_t rights, reservation_t reservation) {
    GuestVspace &self = of(vspace);
    Region *const region = self.find(reservation);
    if (region == nullptr || !region->res.rights_deferred)
        return -1;
    return self.map_all({gpa_of(at), count, static_cast<unsigned>(bits)}, caps, cookies,
                        {rights, region->res.cacheable, true}, region);
}

int GuestVspace::new_pages_at(vspace_t *vspace, void *at, size_t count, size_t bits, reservation_t reservation,
                              bool can_use_device) {
    GuestVspace &self = of(vspace);
    Region *const region = self.find(reservation);
    if (region == nullptr || region->res.rights_deferred)
        return -1;
    return self.new_all({gpa_of(at), count, static_cast<unsigned>(bits)}, region, can_use_device);
}

void *GuestVspace::map_pages(vspace_t *vspace, seL4_CPtr *caps, uintptr_t *cookies, seL4_CapRights_t rights,
                             size_t count, size_t bits, int cacheable) {
    void *at = nullptr;
    const reservation_t place = reserve_aligned(vspace, count << bits, bits, rights, cacheable, &at);
    if (place.res == nullptr)
        return nullptr;
    const int refused = map_pages_at(vspace, caps, cookies, at, count, bits, place);
    free_reservation(vspace, place);
    return refused == 0 ? at : nullptr;
}

void *GuestVspace::new_pages(vspace_t *vspace, seL4_CapRights_t rights, size_t count, size_t bits) {
    void *at = nullptr;
    const reservation_t place = reserve_aligned(vspace, count << bits, bits, rights, 1, &at);
    if (place.res == nullptr)
        return nullptr;
    const int refused = new_pages_at(vspace, at, count, bits, place, false);
    free_reservation(vspace, place);
    return refused == 0 ? at : nullptr;
}

void GuestVspace::unmap_pages(vspace_t *vspace, void *at, size_t count, size_t bits, vka_t *free) {
    of(vspace).unmap_all({gpa_of(at), count, static_cast<unsigned>(bits)}, free);
}

void GuestVspace::tear_down(vspace_t *vspace, vka_t *free) { of(vspace).clear(free); }

// ---------------------------------------------------------------- Looking

seL4_CPtr GuestVspace::get_cap(vspace_t *vspace, void *at) {
    const auto frame = of(vspace).space_.frame_at(gpa_of(at));
    return frame ? frame->cap : seL4_CPtr{seL4_CapNull};
}

seL4_CPtr GuestVspace::get_root(vspace_t *vspace) { return of(vspace).space_.root().cptr; }

uintptr_t GuestVspace::get_cookie(vspace_t *vspace, void *at) {
    for (const Page *page = of(vspace).pages_; page != nullptr; page = page->next) {
        if (gpa_of(at).value() - page->at.value() < bit(page->size_bits))
            return page->cookie;
    }
    return 0;
}

// ---------------------------------------------------------------- Sharing the guest's memory with another vspace

bool GuestVspace::share_one(Gpa from, unsigned size_bits, vspace_t *to, void *at, reservation_t reservation) {
    const auto frame = space_.frame_at(from);
    CapSlot copy;
    {
        const Guard guard(*this);
        if (!frame || frame->size_bits != size_bits || !is_aligned(from.value(), bit(size_bits)) ||
            !copy.copy_of(*vm_.vka, frame->cap, seL4_AllRights))
            return false;
    }
    seL4_CPtr cap = copy.cap();
    if (is_one(to)) {
        GuestVspace &other = of(to);
        Region *const region = other.find(reservation);
        const Page page{.at = gpa_of(at), .size_bits = size_bits, .cap = cap, .owner = Owner::vspace, .region = region};
        if (region == nullptr || !other.map(page, region->res.rights, region->res.cacheable))
            return false;
    } else if (vspace_map_pages_at_vaddr(to, &cap, nullptr, at, 1, size_bits, reservation) != 0) {
        return false;
    }
    copy.release(); // now the other's
    return true;
}

int GuestVspace::share_at(vspace_t *from, vspace_t *to, void *start, int count, size_t bits, void *at,
                          reservation_t reservation) {
    GuestVspace &self = of(from);
    const auto size_bits = static_cast<unsigned>(bits);
    const Span source{gpa_of(start), static_cast<usize>(count), size_bits};
    const Span target{gpa_of(at), source.count, size_bits};
    for (usize i = 0; i < source.count; ++i) {
        if (self.share_one(source[i], size_bits, to, pointer_of(target[i]), reservation))
            continue;
        if (i != 0)
            vspace_unmap_pages(to, at, i, bits, VSPACE_FREE);
        return -1;
    }
    return 0;
}

} // namespace sel4vm::sel4
