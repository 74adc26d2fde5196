// SPDX-License-Identifier: BSD-2-Clause
//
// libsel4vspace over the VMM's own address space, and what libsel4utils does between two address spaces.
#include <sel4_host/double/environment.hpp>

extern "C" {
#include <sel4utils/vspace.h>
}

namespace sel4vm::sel4_double {

namespace {

Environment &environment_of(vspace_t *vspace) { return *static_cast<Environment *>(vspace->data); }
VmmSpace &space_of(vspace_t *vspace) { return environment_of(vspace).space; }
u64 address_of(const void *at) { return reinterpret_cast<u64>(at); }
void *pointer_to(u64 at) { return reinterpret_cast<void *>(at); }
VmmSpace::Reservation *reserved(reservation_t reservation) {
    return static_cast<VmmSpace::Reservation *>(reservation.res);
}

seL4_CPtr get_cap(vspace_t *vspace, void *at) { return space_of(vspace).cap_at(address_of(at)); }
bool is_vmm(const vspace_t *vspace) { return vspace->get_cap == get_cap; }

/// A slot with a copy of the capability; seL4_CapNull when that cannot be had.
seL4_CPtr copy_of(vka_t *vka, seL4_CPtr cap) {
    cspacepath_t from;
    cspacepath_t to;
    vka_cspace_make_path(vka, cap, &from);
    if (cap == seL4_CapNull || vka_cspace_alloc_path(vka, &to) != 0)
        return seL4_CapNull;
    if (vka_cnode_copy(&to, &from, seL4_AllRights) == seL4_NoError)
        return to.capPtr;
    vka_cspace_free_path(vka, to);
    return seL4_CapNull;
}

void drop(vka_t *vka, seL4_CPtr cap) {
    cspacepath_t path;
    vka_cspace_make_path(vka, cap, &path);
    static_cast<void>(vka_cnode_delete(&path));
    vka_cspace_free_path(vka, path);
}

// Into an address space of libsel4utils' kind, page by page through what it says.
int share_at(vspace_t *from, vspace_t *to, void *start, int count, size_t size_bits, void *at,
             reservation_t reservation) {
    vka_t *const vka = &environment_of(from).vka;
    if (is_vmm(to)) {
        Kernel::current().violate("the VMM shares memory with itself");
        return -1;
    }
    const auto *const target = static_cast<sel4utils_alloc_data_t *>(to->data);
    const auto *const place = static_cast<sel4utils_res_t *>(reservation.res);
    for (usize i = 0; i < static_cast<usize>(count); ++i) {
        const u64 offset = i << size_bits;
        const seL4_CPtr copy = copy_of(vka, space_of(from).cap_at(address_of(start) + offset));
        if (copy == seL4_CapNull)
            return -1;
        if (target->map_page(to, copy, pointer_to(address_of(at) + offset), place->rights, place->cacheable,
                             size_bits) != 0) {
            drop(vka, copy);
            return -1;
        }
    }
    return 0;
}

} // namespace

vspace_t VmmSpace::interface(Environment &environment) {
    vspace_t vspace{};
    vspace.data = &environment;
    vspace.get_cap = get_cap;
    vspace.get_root = [](vspace_t *v) { return space_of(v).root(); };
    vspace.share_mem_at_vaddr = share_at;
    vspace.reserve_range_aligned = [](vspace_t *v, size_t bytes, size_t size_bits, seL4_CapRights_t rights, int,
                                      void **at) {
        Reservation *const made = space_of(v).reserve(bytes, static_cast<unsigned>(size_bits), rights);
        *at = made == nullptr ? nullptr : pointer_to(made->start);
        return reservation_t{made};
    };
    vspace.free_reservation = [](vspace_t *v, reservation_t reservation) {
        space_of(v).free_reservation(reserved(reservation));
    };
    vspace.map_pages_at_vaddr = [](vspace_t *v, seL4_CPtr caps[], uintptr_t[], void *vaddr, size_t count,
                                   size_t size_bits, reservation_t reservation) {
        const Reservation *const place = reserved(reservation);
        const u64 at = address_of(vaddr);
        if (place == nullptr || at < place->start || (count << size_bits) > place->size - (at - place->start))
            return -1;
        return space_of(v).map(caps, at, count, static_cast<unsigned>(size_bits), place->rights);
    };
    vspace.map_pages = [](vspace_t *v, seL4_CPtr caps[], uintptr_t[], seL4_CapRights_t rights, size_t count,
                          size_t size_bits, int) -> void * {
        const auto bits = static_cast<unsigned>(size_bits);
        const u64 at = space_of(v).find(count << bits, bits);
        return at != 0 && space_of(v).map(caps, at, count, bits, rights) == 0 ? pointer_to(at) : nullptr;
    };
    vspace.new_pages = [](vspace_t *v, seL4_CapRights_t rights, size_t count, size_t size_bits) -> void * {
        const auto bits = static_cast<unsigned>(size_bits);
        const u64 at = space_of(v).find(count << bits, bits);
        for (usize i = 0; i < count; ++i) {
            if (at == 0 || space_of(v).map_new(at + (i << bits), bits, rights) != 0)
                return nullptr;
        }
        return pointer_to(at);
    };
    vspace.unmap_pages = [](vspace_t *v, void *at, size_t count, size_t size_bits, vka_t *vka) {
        space_of(v).unmap(address_of(at), count, static_cast<unsigned>(size_bits),
                          vka == VSPACE_PRESERVE ? Frames::kept : Frames::freed);
    };
    return vspace;
}

} // namespace sel4vm::sel4_double

using namespace sel4vm::sel4_double;

extern "C" {

// Only its address is looked at.
vka_t vspace_free_marker; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void *vspace_share_mem(vspace_t *from, vspace_t *to, void *start, int count, size_t size_bits, seL4_CapRights_t rights,
                       int cacheable) {
    void *at = nullptr;
    const reservation_t place =
        vspace_reserve_range_aligned(to, static_cast<size_t>(count) << size_bits, size_bits, rights, cacheable, &at);
    if (place.res == nullptr)
        return nullptr;
    const int refused = from->share_mem_at_vaddr(from, to, start, count, size_bits, at, place);
    // What was shared stays where it is.
    if (is_vmm(to))
        space_of(to).leave_reservation(reserved(place));
    else
        vspace_free_reservation(to, place);
    return refused == 0 ? at : nullptr;
}

int vspace_access_page_with_callback(vspace_t *from, vspace_t *to, void *at, size_t size_bits, seL4_CapRights_t rights,
                                     int cacheable, int (*callback)(void *at, void *seen, void *cookie), void *cookie) {
    vka_t *const vka = &environment_of(to).vka;
    seL4_CPtr copy = copy_of(vka, vspace_get_cap(from, at));
    if (copy == seL4_CapNull)
        return -1;
    int result = -1;
    if (void *seen = vspace_map_pages(to, &copy, nullptr, rights, 1, size_bits, cacheable); seen != nullptr) {
        result = callback(at, seen, cookie);
        vspace_unmap_pages(to, seen, 1, size_bits, VSPACE_PRESERVE);
    }
    drop(vka, copy);
    return result;
}

int sel4utils_get_empty_vspace_with_map(vspace_t *loader, vspace_t *made, sel4utils_alloc_data_t *data, vka_t *vka,
                                        seL4_CPtr, vspace_allocated_object_fn, void *, sel4utils_map_page_fn map_page) {
    Environment &environment = environment_of(loader);
    if (environment.kernel.refusals.resource())
        return -1;
    ++environment.open_spaces;
    *data = {vka, &environment, map_page};
    *made = {};
    made->data = data;
    made->tear_down = [](vspace_t *v, vka_t *) {
        auto *const its = static_cast<sel4utils_alloc_data_t *>(v->data);
        --static_cast<Environment *>(its->top_level)->open_spaces;
        its->top_level = nullptr;
    };
    return 0;
}

} // extern "C"
