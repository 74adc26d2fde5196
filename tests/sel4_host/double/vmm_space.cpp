// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/vmm_space.hpp>

#include <sel4_host/double/environment.hpp>

#include <sel4vm/base/assert.hpp>

#include <sys/mman.h>

namespace sel4vm::sel4_double {

namespace {

constexpr u64 kAreaBytes = u64{32} << 30;
constexpr u64 kAlignment = u64{1} << seL4_HugePageBits;
constexpr u64 kKernelBase = u64{4} << 30;

void *pointer(u64 address) { return reinterpret_cast<void *>(address); }

} // namespace

VmmSpace::VmmSpace(Environment &environment) : environment_(environment), root_(environment.make_vmm_root()) {
    void *const whole =
        mmap(nullptr, kAreaBytes + kAlignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    SEL4VM_ASSERT(whole != MAP_FAILED);
    const u64 start = reinterpret_cast<u64>(whole);
    area_ = (start + kAlignment - 1) & ~(kAlignment - 1);
    munmap(pointer(start), area_ - start);
    munmap(pointer(area_ + kAreaBytes), kAlignment - (area_ - start));
}

VmmSpace::~VmmSpace() { munmap(pointer(area_), kAreaBytes); }

u64 VmmSpace::kernel_address(u64 at) const { return at - area_ + kKernelBase; }

u64 VmmSpace::find(u64 size, unsigned bits) const {
    const u64 alignment = u64{1} << bits;
    u64 at = area_;
    for (bool moved = true; moved;) {
        moved = false;
        const auto skip = [&](u64 start, u64 bytes) {
            if (start < at + size && at < start + bytes) {
                at = (start + bytes + alignment - 1) & ~(alignment - 1);
                moved = true;
            }
        };
        for (const auto &[start, reservation] : reservations_)
            skip(start, reservation.size);
        for (const auto &[start, page] : pages_)
            skip(start, u64{1} << page.bits);
    }
    return at + size <= area_ + kAreaBytes ? at : 0;
}

VmmSpace::Reservation *VmmSpace::reserve(u64 size, unsigned bits, seL4_CapRights_t rights) {
    const u64 at = find((size + kPageBytes - 1) & ~(kPageBytes - 1), bits);
    if (at == 0 || environment_.kernel.refusals.resource())
        return nullptr;
    return &(reservations_[at] = {at, (size + kPageBytes - 1) & ~(kPageBytes - 1), rights});
}

void VmmSpace::free_reservation(Reservation *reservation) {
    const auto page = pages_.lower_bound(reservation->start);
    if (page != pages_.end() && page->first < reservation->start + reservation->size)
        environment_.kernel.violate("a reservation is given back with pages in it, which stay");
    leave_reservation(reservation);
}

void VmmSpace::leave_reservation(Reservation *reservation) { reservations_.erase(reservation->start); }

int VmmSpace::add_table(u64 at) {
    vka_object_t table;
    if (vka_alloc_object(&environment_.vka, seL4_ARM_PageTableObject, seL4_PageTableBits, &table) != 0)
        return -1;
    if (seL4_ARM_PageTable_Map(table.cptr, root_, at, seL4_ARM_Default_VMAttributes) != 0) {
        vka_free_object(&environment_.vka, &table);
        return -1;
    }
    environment_.keep_for_good();
    ++tables_;
    return 0;
}

int VmmSpace::map_page(seL4_CPtr cap, u64 at, unsigned bits, seL4_CapRights_t rights, seL4_Word ut) {
    const u64 place = kernel_address(at);
    if (environment_.kernel.slot(cap)->object()->size_bits != bits)
        return -1; // the kernel might find room for it, and the caller would not know how much it took
    seL4_Error error = 0;
    while ((error = seL4_ARM_Page_Map(cap, root_, place, rights, seL4_ARM_Default_VMAttributes)) == seL4_FailedLookup) {
        if (add_table(place) != 0)
            return -1;
    }
    if (error != 0)
        return -1;
    Kernel &kernel = environment_.kernel;
    const u64 phys = kernel.slot(cap)->object()->phys;
    const int protection = seL4_CapRights_get_capAllowWrite(rights) != 0 ? PROT_READ | PROT_WRITE : PROT_READ;
    SEL4VM_ASSERT(mmap(pointer(at), usize{1} << bits, protection, MAP_SHARED | MAP_FIXED, kernel.memory.file(),
                       static_cast<off_t>(PhysicalMemory::offset_of(phys))) != MAP_FAILED);
    pages_[at] = {cap, bits, ut};
    return 0;
}

int VmmSpace::map(const seL4_CPtr *caps, u64 at, usize count, unsigned bits, seL4_CapRights_t rights) {
    int error = 0;
    for (usize i = 0; i < count && error == 0; ++i)
        error = map_page(caps[i], at + (i << bits), bits, rights, 0);
    return error;
}

int VmmSpace::map_new(u64 at, unsigned bits, seL4_CapRights_t rights) {
    vka_object_t frame;
    if (vka_alloc_frame(&environment_.vka, bits, &frame) != 0)
        return -1;
    const int error = map_page(frame.cptr, at, bits, rights, frame.ut);
    if (error != 0)
        vka_free_object(&environment_.vka, &frame);
    return error;
}

seL4_CPtr VmmSpace::cap_at(u64 at) const {
    const auto page = pages_.find(at);
    return page == pages_.end() ? seL4_CapNull : page->second.cap;
}

void VmmSpace::unmap(u64 at, usize count, unsigned bits, Frames frames) {
    for (usize i = 0; i < count; ++i) {
        const auto found = pages_.find(at + (i << bits));
        if (found == pages_.end() || found->second.bits != bits) {
            environment_.kernel.violate("a page is unmapped that is not mapped");
            return;
        }
        static_cast<void>(seL4_ARM_Page_Unmap(found->second.cap));
        SEL4VM_ASSERT(mmap(pointer(found->first), usize{1} << bits, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED);
        const Page page = found->second;
        pages_.erase(found);
        if (frames == Frames::freed && page.ut != 0) {
            vka_object_t object{page.cap, page.ut, vka_frame_type(bits), bits};
            vka_free_object(&environment_.vka, &object);
        } else if (frames == Frames::freed) {
            cspacepath_t path;
            vka_cspace_make_path(&environment_.vka, page.cap, &path);
            static_cast<void>(vka_cnode_delete(&path));
            vka_cspace_free_path(&environment_.vka, path);
        }
    }
}

} // namespace sel4vm::sel4_double
