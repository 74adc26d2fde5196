// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/sel4/guest_vspace.hpp>

#include <sel4vm/base/bits.hpp>

#include <memory>
#include <new>
#include <type_traits>

namespace sel4vm::sel4 {

// SAFETY: libsel4utils casts both to their first members' types.
static_assert(std::is_standard_layout_v<sel4utils_alloc_data_t> && std::is_standard_layout_v<sel4utils_res_t>);

GuestVspace::Guard::Guard(const GuestVspace &vspace)
    : lock_(vspace.lock_ && vspace.vm_.arch.machine != nullptr ? &*vspace.lock_ : nullptr) {
    if (lock_ != nullptr)
        lock_->lock(lock_->cookie);
}

GuestVspace::Guard::~Guard() {
    if (lock_ != nullptr)
        lock_->unlock(lock_->cookie);
}

GuestVspace::GuestVspace(vm_t &vm, GuestSpace &space, Allocator &allocator, const std::optional<vm_lock_t> &lock)
    : vm_(vm), space_(space), allocator_(allocator), lock_(lock) {
    data_.base.vka = vm.vka;
    data_.base.map_page = map_page;
    data_.self = this;
}

GuestVspace::~GuestVspace() { clear(VSPACE_PRESERVE); }

// The heap is guarded as vka is: musl's has no lock of its own.
template <class T>
T *GuestVspace::make(const T &value) {
    const Guard guard(*this);
    void *const block = allocator_.allocate(sizeof(T), alignof(T));
    return block != nullptr ? ::new (block) T(value) : nullptr;
}

// Takes it out of its list.
template <class T>
void GuestVspace::drop(T *&list, T *item) {
    T **place = &list;
    while (*place != item)
        place = &(*place)->next;
    *place = item->next;
    const Guard guard(*this);
    std::destroy_at(item);
    allocator_.deallocate(item, sizeof(T), alignof(T));
}

vka_t *GuestVspace::vka_of(vka_t *free) const { return free == VSPACE_FREE ? vm_.vka : free; }

// libsel4utils writes down there what it shares with this guest. Few VMs need it.
bool GuestVspace::open() {
    if (data_.base.top_level != nullptr)
        return true;
    const Guard guard(*this);
    if (sel4utils_get_empty_vspace_with_map(&vm_.mem.vmm_vspace, &inner_, &data_.base, vm_.vka, space_.root().cptr,
                                            nullptr, nullptr, map_page) == 0)
        return true;
    data_.base.top_level = nullptr;
    return false;
}

// ---------------------------------------------------------------- Reservations

GuestVspace::Region *GuestVspace::find(reservation_t reservation) const {
    Region *region = regions_;
    while (region != nullptr && (region->freed || &region->res != reservation.res))
        region = region->next;
    return region;
}

GuestVspace::Region *GuestVspace::find(Gpa at) const {
    Region *region = regions_;
    while (region != nullptr && (region->freed || !region->range.contains(at)))
        region = region->next;
    return region;
}

reservation_t GuestVspace::keep(GpaRange range, vm_memory_reservation_t *held, const Rights &rights) {
    Region *const region = open() ? make(Region{.range = range, .held = held, .next = regions_}) : nullptr;
    if (region == nullptr) {
        static_cast<void>(vm_free_reserved_memory(&vm_, held));
        return {};
    }
    regions_ = region;
    regions_->res.start = range.base().value();
    regions_->res.end = range.end().value();
    regions_->res.rights = rights.rights;
    regions_->res.cacheable = rights.cacheable;
    regions_->res.rights_deferred = rights.deferred;
    return {&regions_->res};
}

void GuestVspace::free_if_unused(Region *region) {
    if (!region->freed || region->pages != 0)
        return;
    // When the VM is being destroyed, its reservations are gone before.
    if (vm_.arch.machine != nullptr)
        static_cast<void>(vm_free_reserved_memory(&vm_, region->held));
    drop(regions_, region);
}

// ---------------------------------------------------------------- Pages

GuestVspace::Page *GuestVspace::find_page(Gpa at, unsigned size_bits) const {
    Page *page = pages_;
    while (page != nullptr && (page->at != at || page->size_bits != size_bits))
        page = page->next;
    return page;
}

bool GuestVspace::map(const Page &page, seL4_CapRights_t rights, int cacheable) {
    const auto range = GpaRange::make(page.at, bit(page.size_bits));
    if (page.region == nullptr || !range || !page.region->range.contains(*range))
        return false;
    Page *const kept = make(page);
    if (kept == nullptr)
        return false;
    kept->next = pages_;
    pages_ = kept;
    const FrameMemory memory = cacheable != 0 ? FrameMemory::normal : FrameMemory::device;
    bool mapped = false;
    {
        const Guard guard(*this);
        mapped = space_.map_frame(page.at, page.cap, page.size_bits, rights, memory).has_value();
    }
    if (!mapped) {
        drop(pages_, kept);
        return false;
    }
    ++page.region->pages;
    return true;
}

void GuestVspace::unmap(Page *page, vka_t *free) {
    Region *const region = page->region;
    {
        const Guard guard(*this);
        space_.unmap(*GpaRange::make(page->at, bit(page->size_bits)));
        if (vka_t *const vka = vka_of(free); vka != nullptr) {
            cspacepath_t path{};
            vka_cspace_make_path(vka, page->cap, &path);
            static_cast<void>(vka_cnode_delete(&path));
            vka_cspace_free(vka, page->cap);
            if (page->cookie != 0)
                vka_utspace_free(vka, frame_type(page->size_bits), page->size_bits, page->cookie);
        }
    }
    drop(pages_, page);
    --region->pages;
    free_if_unused(region);
}

// As libsel4utils has it, frames without a cookie are somebody else's. Those that the vspace made are nobody else's.
void GuestVspace::clear(vka_t *free) {
    while (pages_ != nullptr) {
        if (pages_->owner == Owner::vspace)
            unmap(pages_, VSPACE_FREE);
        else
            unmap(pages_, pages_->cookie != 0 ? free : VSPACE_PRESERVE);
    }
    while (regions_ != nullptr) {
        regions_->freed = true;
        free_if_unused(regions_);
    }
    if (data_.base.top_level == nullptr)
        return;
    const Guard guard(*this);
    vspace_tear_down(&inner_, VSPACE_PRESERVE);
    data_.base.top_level = nullptr;
}

} // namespace sel4vm::sel4
