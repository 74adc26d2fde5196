// SPDX-License-Identifier: BSD-2-Clause
//
// The VMM's own address space as libsel4utils keeps it: reservations, pages, and page tables that stay for good. An address is one
// of this process, so that the VMM really sees the frames; the kernel of the double knows it by its distance from the start.
#pragma once

#include <sel4_host/double/object.hpp>

extern "C" {
#include <vspace/vspace.h>
}

#include <map>

namespace sel4vm::sel4_double {

class Environment;

class VmmSpace {
public:
    explicit VmmSpace(Environment &environment);
    ~VmmSpace();
    VmmSpace(const VmmSpace &) = delete;
    VmmSpace &operator=(const VmmSpace &) = delete;

    struct Reservation {
        u64 start;
        u64 size;
        seL4_CapRights_t rights;
    };
    [[nodiscard]] Reservation *reserve(u64 size, unsigned bits, seL4_CapRights_t rights);
    void free_reservation(Reservation *reservation);
    /// Gives it back with pages in it, which stay: what sharing does.
    void leave_reservation(Reservation *reservation);
    /// 0, or not, with the pages before the one that could not be mapped left as they are.
    [[nodiscard]] int map(const seL4_CPtr *caps, u64 at, usize count, unsigned bits, seL4_CapRights_t rights);
    /// A new frame of its own.
    [[nodiscard]] int map_new(u64 at, unsigned bits, seL4_CapRights_t rights);
    enum class Frames : u8 { kept, freed };
    void unmap(u64 at, usize count, unsigned bits, Frames frames);
    /// seL4_CapNull where no page begins.
    [[nodiscard]] seL4_CPtr cap_at(u64 at) const;
    [[nodiscard]] seL4_CPtr root() const { return root_; }
    /// The interface of libsel4vspace.
    [[nodiscard]] static vspace_t interface(Environment &environment);
    /// An address range that nothing has, or 0.
    [[nodiscard]] u64 find(u64 size, unsigned bits) const;

    [[nodiscard]] usize reservations() const { return reservations_.size(); }
    [[nodiscard]] usize pages() const { return pages_.size(); }
    /// Page tables so far.
    [[nodiscard]] usize tables() const { return tables_; }

private:
    struct Page {
        seL4_CPtr cap;
        unsigned bits;
        seL4_Word ut; ///< 0: the capability of somebody else's frame
    };
    [[nodiscard]] int map_page(seL4_CPtr cap, u64 at, unsigned bits, seL4_CapRights_t rights, seL4_Word ut);
    [[nodiscard]] int add_table(u64 at);
    [[nodiscard]] u64 kernel_address(u64 at) const;

    Environment &environment_;
    seL4_CPtr root_;
    u64 area_ = 0;
    std::map<u64, Reservation> reservations_;
    std::map<u64, Page> pages_;
    usize tables_ = 0;
};

} // namespace sel4vm::sel4_double
