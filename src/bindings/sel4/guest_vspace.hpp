// SPDX-License-Identifier: BSD-2-Clause
//
// The guest's address space as clients of libsel4vm know it: a vspace_t whose addresses are guest-physical. What is reserved here
// is a reservation of the VM, and what is mapped is known to its GuestSpace; a reservation that was given back holds its addresses
// while frames are mapped there. RAM and devices are seen by get_cap() only.
//
// libsel4utils takes it for one of its own when it shares a client's memory with it (sel4utils_share_mem_at_vaddr() looks into the
// receiver): so its `data` begins as libsel4utils has it, and so do reservations. What that writes there is not used.
//
// Threads: as the C interface.
#pragma once

#include <hosts/sel4/guest_space.hpp>

#include <sel4vm/boot.h>

extern "C" {
#include <sel4utils/vspace.h>
}

#include <optional>

namespace sel4vm::sel4 {

class GuestVspace {
public:
    GuestVspace(vm_t &vm, GuestSpace &space, Allocator &allocator, const std::optional<vm_lock_t> &lock);
    ~GuestVspace();
    GuestVspace(const GuestVspace &) = delete;
    GuestVspace &operator=(const GuestVspace &) = delete;

    /// For vm_mem.vm_vspace; valid as long as this object.
    [[nodiscard]] vspace_t interface();

private:
    /// Who gives a frame back when its mapping goes: the client, or the vspace that made the frame or a copy of its capability.
    enum class Owner : u8 { client, vspace };
    struct Region {
        sel4utils_res_t res{}; // first: a reservation_t points to it
        GpaRange range;
        vm_memory_reservation_t *held = nullptr;
        bool freed = false; ///< by the client; it goes with its last page
        usize pages = 0;
        Region *next = nullptr;
    };
    struct Page {
        Gpa at;
        unsigned size_bits = 0;
        seL4_CPtr cap = 0; ///< as given; what is mapped is a copy
        uintptr_t cookie = 0;
        Owner owner = Owner::client;
        Region *region = nullptr;
        Page *next = nullptr;
    };
    struct Data {
        sel4utils_alloc_data_t base{}; // first
        GuestVspace *self = nullptr;
    };
    struct Rights {
        seL4_CapRights_t rights;
        int cacheable;
        bool deferred;
    };
    /// `count` frames of one size from `at` on.
    struct Span {
        Gpa at;
        usize count;
        unsigned size_bits;
        [[nodiscard]] Gpa operator[](usize index) const { return Gpa{at.value() + (u64{index} << size_bits)}; }
    };

    [[nodiscard]] static GuestVspace &of(vspace_t *vspace) { return *static_cast<Data *>(vspace->data)->self; }
    [[nodiscard]] static bool is_one(const vspace_t *vspace) { return vspace->get_cap == get_cap; }

    /// Holds the client's lock, except where vm_destroy() does so already.
    class Guard {
    public:
        explicit Guard(const GuestVspace &vspace);
        ~Guard();
        Guard(const Guard &) = delete;
        Guard &operator=(const Guard &) = delete;

    private:
        const vm_lock_t *lock_;
    };

    // guest_vspace.cpp
    template <class T>
    [[nodiscard]] T *make(const T &value);
    template <class T>
    void drop(T *&list, T *item);
    [[nodiscard]] bool open();
    [[nodiscard]] reservation_t keep(GpaRange range, vm_memory_reservation_t *held, const Rights &rights);
    [[nodiscard]] Region *find(reservation_t reservation) const;
    [[nodiscard]] Region *find(Gpa at) const;
    [[nodiscard]] Page *find_page(Gpa at, unsigned size_bits) const;
    void free_if_unused(Region *region);
    [[nodiscard]] bool map(const Page &page, seL4_CapRights_t rights, int cacheable);
    void unmap(Page *page, vka_t *free);
    void clear(vka_t *free);
    [[nodiscard]] vka_t *vka_of(vka_t *free) const;

    // guest_vspace_functions.cpp: those of vspace_t
    [[nodiscard]] int map_all(const Span &span, const seL4_CPtr *caps, const uintptr_t *cookies, const Rights &rights,
                              Region *region);
    [[nodiscard]] int new_all(const Span &span, Region *region, bool can_use_device);
    void unmap_all(const Span &span, vka_t *free);
    [[nodiscard]] bool share_one(Gpa from, unsigned size_bits, vspace_t *to, void *at, reservation_t reservation);
    static int map_page(vspace_t *vspace, seL4_CPtr cap, void *at, seL4_CapRights_t rights, int cacheable, size_t bits);
    static void *new_pages(vspace_t *vspace, seL4_CapRights_t rights, size_t count, size_t bits);
    static void *map_pages(vspace_t *vspace, seL4_CPtr *caps, uintptr_t *cookies, seL4_CapRights_t rights, size_t count,
                           size_t bits, int cacheable);
    static int new_pages_at(vspace_t *vspace, void *at, size_t count, size_t bits, reservation_t reservation,
                            bool can_use_device);
    static int map_pages_at(vspace_t *vspace, seL4_CPtr *caps, uintptr_t *cookies, void *at, size_t count, size_t bits,
                            reservation_t reservation);
    static int map_pages_with_rights_at(vspace_t *vspace, seL4_CPtr *caps, uintptr_t *cookies, void *at, size_t count,
                                        size_t bits, seL4_CapRights_t rights, reservation_t reservation);
    static void unmap_pages(vspace_t *vspace, void *at, size_t count, size_t bits, vka_t *free);
    static void tear_down(vspace_t *vspace, vka_t *free);
    static reservation_t reserve_aligned(vspace_t *vspace, size_t bytes, size_t bits, seL4_CapRights_t rights,
                                         int cacheable, void **at);
    static reservation_t reserve_at(vspace_t *vspace, void *at, size_t bytes, seL4_CapRights_t rights, int cacheable);
    static reservation_t reserve_for_rights_at(vspace_t *vspace, void *at, size_t bytes, int cacheable);
    static void free_reservation(vspace_t *vspace, reservation_t reservation);
    static void free_reservation_at(vspace_t *vspace, void *at);
    static seL4_CPtr get_cap(vspace_t *vspace, void *at);
    static seL4_CPtr get_root(vspace_t *vspace);
    static uintptr_t get_cookie(vspace_t *vspace, void *at);
    static int share_at(vspace_t *from, vspace_t *to, void *start, int count, size_t bits, void *at,
                        reservation_t reservation);

    vm_t &vm_;
    GuestSpace &space_;
    Allocator &allocator_;
    std::optional<vm_lock_t> lock_;
    Data data_;
    vspace_t inner_{}; ///< libsel4utils' view of `data_`, from open() on
    Region *regions_ = nullptr;
    Page *pages_ = nullptr;
    bool has_anonymous_range_ = false;
};

} // namespace sel4vm::sel4
