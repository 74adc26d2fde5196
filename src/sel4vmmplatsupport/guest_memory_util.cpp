// SPDX-License-Identifier: BSD-2-Clause
//
// Pages behind reservations. Each reservation's pages are one PageSet that lives until the VM is destroyed: a deferred mapping asks for
// them late, and the guest may use them to the end.
#include <sel4vmmplatsupport/guest_memory_util.h>

#include <sel4vm/base/bits.hpp>
#include <sel4vmmplatsupport/kept.hpp>
#include <sel4vmmplatsupport/log.hpp>

#include <optional>

namespace sel4vm::platsupport {
namespace {

enum class Kind : u8 {
    fresh,        ///< RAM
    physical,     ///< the page at a physical address
    maybe_device, ///< that, where it is a device's; else RAM
};

/// The pages of one reservation, made as they are asked for.
class Backing {
public:
    Backing(vm_t &vm, Kind kind, uintptr_t base, uintptr_t phys) : vm_(vm), kind_(kind), base_(base), phys_(phys) {}

    [[nodiscard]] bool make_room(usize count) { return pages_.make_room(vm_, count); }
    static vm_frame_t next(uintptr_t address, void *cookie) { return static_cast<Backing *>(cookie)->frame(address); }

private:
    [[nodiscard]] vm_frame_t frame(uintptr_t address) {
        const uintptr_t at = align_down(address, kPageBytes);
        vm_frame_t none{};
        auto page = make(phys_ + (at - base_));
        if (!page)
            return none;
        pages_.add(*page);
        return {page->frame, seL4_AllRights, at, 12};
    }
    [[nodiscard]] Result<Page, HostError> make(u64 phys) {
        if (kind_ == Kind::physical || (kind_ == Kind::maybe_device && is_device_page(vm_, phys)))
            return page_at(vm_, phys);
        return allocate_page(vm_);
    }

    vm_t &vm_;
    Kind kind_;
    uintptr_t base_;
    uintptr_t phys_;
    PageSet pages_;
};

int map_pages(vm_t *vm, vm_memory_reservation_t *reservation, Kind kind, std::optional<uintptr_t> phys,
              const char *name) {
    if (vm == nullptr || reservation == nullptr)
        return refuse(vm, name, ": an argument is missing");
    uintptr_t base = 0;
    size_t size = 0;
    vm_get_reservation_memory_region(reservation, &base, &size);
    if (!is_aligned(base, kPageBytes) || !is_aligned(size, kPageBytes) || !is_aligned(phys.value_or(0), kPageBytes))
        return refuse(vm, name, ": the range is not made of pages");
    auto backing = CObject<Backing>::make(*vm, kind, base, phys.value_or(base));
    if (!backing || !backing->make_room(size / kPageBytes))
        return refuse(vm, name, ": no memory");
    if (vm_map_reservation(vm, reservation, Backing::next, backing.get()) != 0)
        return refuse(vm, name, ": the pages at ", Hex{base}, " could not be mapped");
    if (keep(*vm, backing))
        return 0;
    // The mappings would outlive their pages.
    static_cast<void>(vm_free_reserved_memory(vm, reservation));
    return refuse(vm, name, ": no memory");
}

/// A page that guest and VMM share.
class Shared {
public:
    Shared(uintptr_t address, seL4_CapRights_t rights) : address_(address), rights_(rights) {}
    PageSet pages; ///< what the VMM sees, then what the guest has
    static vm_frame_t next(uintptr_t, void *cookie) {
        const Shared &shared = *static_cast<Shared *>(cookie);
        return {shared.pages.page(1).frame, shared.rights_, shared.address_, 12};
    }

private:
    uintptr_t address_;
    seL4_CapRights_t rights_;
};

void *share_page(vm_t *vm, uintptr_t address, seL4_CapRights_t rights, Kind kind, memory_fault_callback_fn callback,
                 void *cookie, const char *name) {
    const auto fail = [vm, name](const char *why) -> void * {
        static_cast<void>(refuse(vm, name, ": ", why));
        return nullptr;
    };
    if (vm == nullptr || callback == nullptr || !is_aligned(address, kPageBytes))
        return fail("an argument is missing, or the address is not a page's");
    auto shared = CObject<Shared>::make(address, rights);
    if (!shared || !shared->pages.make_room(*vm, 2))
        return fail("no memory");
    const auto page = kind == Kind::fresh ? allocate_page(*vm) : page_at(*vm, address);
    if (!page)
        return fail("there is no such page");
    auto seen = shared->pages.add_shown(*page);
    if (!seen)
        return fail("the page could not be mapped into the VMM");
    const auto second = duplicate_page(*vm, *page);
    if (!second)
        return fail("no room for another capability");
    shared->pages.add(*second);
    vm_memory_reservation_t *reservation = vm_reserve_memory_at(vm, address, kPageBytes, callback, cookie);
    if (reservation == nullptr)
        return fail("the range is taken");
    if (vm_map_reservation(vm, reservation, Shared::next, shared.get()) != 0 || !keep(*vm, shared)) {
        static_cast<void>(vm_free_reserved_memory(vm, reservation));
        return fail("the page could not be mapped for the guest");
    }
    return *seen;
}

} // namespace
} // namespace sel4vm::platsupport

using namespace sel4vm::platsupport;

extern "C" {

void *create_allocated_reservation_frame(vm_t *vm, uintptr_t addr, seL4_CapRights_t rights,
                                         memory_fault_callback_fn alloc_fault_callback, void *alloc_fault_cookie) {
    return share_page(vm, addr, rights, Kind::fresh, alloc_fault_callback, alloc_fault_cookie,
                      "create_allocated_reservation_frame");
}

void *create_device_reservation_frame(vm_t *vm, uintptr_t addr, seL4_CapRights_t rights,
                                      memory_fault_callback_fn fault_callback, void *fault_cookie) {
    return share_page(vm, addr, rights, Kind::physical, fault_callback, fault_cookie,
                      "create_device_reservation_frame");
}

int map_ut_alloc_reservation_with_base_paddr(vm_t *vm, uintptr_t paddr, vm_memory_reservation_t *reservation) {
    return map_pages(vm, reservation, Kind::physical, paddr, "map_ut_alloc_reservation_with_base_paddr");
}

int map_ut_alloc_reservation(vm_t *vm, vm_memory_reservation_t *reservation) {
    return map_pages(vm, reservation, Kind::physical, std::nullopt, "map_ut_alloc_reservation");
}

int map_frame_alloc_reservation(vm_t *vm, vm_memory_reservation_t *reservation) {
    return map_pages(vm, reservation, Kind::fresh, std::nullopt, "map_frame_alloc_reservation");
}

int map_maybe_device_reservation(vm_t *vm, vm_memory_reservation_t *reservation) {
    return map_pages(vm, reservation, Kind::maybe_device, std::nullopt, "map_maybe_device_reservation");
}

} // extern "C"
