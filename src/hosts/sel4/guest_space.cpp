// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/guest_space.hpp>

#include <hosts/sel4/cache.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>
#include <bit>
#include <memory>
#include <new>

namespace sel4vm::sel4 {

namespace {

seL4_CapRights_t rights_of(Protection protection) {
    const bool write = protection == Protection::read_write || protection == Protection::read_write_execute;
    return seL4_CapRights_new(0, 0, 1, write ? 1 : 0);
}

seL4_ARM_VMAttributes attributes_of(Protection protection) {
    const bool execute = protection == Protection::read_execute || protection == Protection::read_write_execute;
    const auto cached = static_cast<unsigned>(seL4_ARM_Default_VMAttributes);
    return static_cast<seL4_ARM_VMAttributes>(execute ? cached : cached | unsigned{seL4_ARM_ExecuteNever});
}

// Without the cacheable attribute the kernel maps device memory, the only other kind it knows.
constexpr auto kDeviceAttributes = static_cast<seL4_ARM_VMAttributes>(seL4_ARM_ExecuteNever);

unsigned largest_frame_bits(u64 alignment, u64 size_bytes) {
    for (const unsigned bits : {unsigned{seL4_HugePageBits}, unsigned{seL4_LargePageBits}}) {
        if (is_aligned(alignment, bit(bits)) && size_bytes >= bit(bits))
            return bits;
    }
    return seL4_PageBits;
}

} // namespace

GuestSpace::~GuestSpace() {
    unmap(*GpaRange::make(Gpa{0}, ~u64{0}));
    while (ram_ != nullptr)
        free_ram(ram_->block());
    root_.reset();
    free_tables(tables_);
    free_tables(spare_);
}

Status<HostError> GuestSpace::create(simple_t &simple) {
    if (auto done = root_.allocate(*env_.vka, seL4_ARM_VSpaceObject, seL4_VSpaceBits); !done)
        return done;
    if (const int error = simple_ASIDPool_assign(&simple, root_.cap()); error != 0)
        return Err{host_error(error)};
    return Ok{};
}

unsigned GuestSpace::address_bits() const {
#ifdef CONFIG_ARM_PA_SIZE_BITS_44
    return 44;
#else
    return 40;
#endif
}

// ---------------------------------------------------------------- RAM

Result<RamBlock, HostError> GuestSpace::keep(Owned<RamBacking> backing) {
    RamBacking *const kept = backing.release();
    kept->next = ram_;
    ram_ = kept;
    return kept->block();
}

// The kernel clears memory whenever it makes frames of it, so `clearing` asks for nothing more.
Result<RamBlock, HostError> GuestSpace::allocate_ram(u64 size_bytes, u64 alignment, Clearing) {
    if (size_bytes < kPageBytes)
        return Err{HostError{HostErrorKind::invalid}};
    const unsigned frame_bits = largest_frame_bits(alignment, size_bytes);
    HostError error = out_of_memory();
    for (auto bits = static_cast<unsigned>(std::bit_width(size_bytes)) - 1; bits >= frame_bits; --bits) {
        auto backing = Owned<RamBacking>::make(*env_.allocator, *env_.vka, *env_.vmm, *env_.allocator);
        if (!backing)
            return Err{out_of_memory()};
        const auto made = backing->create(bits, frame_bits);
        if (made)
            return keep(std::move(backing));
        error = made.error();
    }
    return Err{error};
}

Result<RamBlock, HostError> GuestSpace::adopt_ram(u64 size_bytes, FrameCaps &frames) {
    auto backing = Owned<RamBacking>::make(*env_.allocator, *env_.vka, *env_.vmm, *env_.allocator);
    if (!backing)
        return Err{out_of_memory()};
    if (const auto made = backing->adopt(size_bytes, frames); !made)
        return Err{made.error()};
    return keep(std::move(backing));
}

Result<RamBlock, HostError> GuestSpace::allocate_ram_at(HostPhys phys, u64 size_bytes) {
    const unsigned frame_bits =
        largest_frame_bits((phys.value() | size_bytes) & -(phys.value() | size_bytes), size_bytes);
    auto backing = Owned<RamBacking>::make(*env_.allocator, *env_.vka, *env_.vmm, *env_.allocator);
    if (!backing)
        return Err{out_of_memory()};
    if (const auto made = backing->create_at(phys, size_bytes, frame_bits); !made)
        return Err{made.error()};
    return keep(std::move(backing));
}

void GuestSpace::free_ram(const RamBlock &block) {
    for (RamBacking **at = &ram_; *at != nullptr; at = &(*at)->next) {
        RamBacking *const backing = *at;
        if (backing->block().window != block.window)
            continue;
        *at = backing->next;
        std::destroy_at(backing);
        env_.allocator->deallocate(backing, sizeof(RamBacking), alignof(RamBacking));
        return;
    }
}

RamBacking *GuestSpace::backing_of(const RamBlock &block) const {
    RamBacking *backing = ram_;
    while (backing != nullptr && backing->block().window != block.window)
        backing = backing->next;
    return backing;
}

RamBacking *GuestSpace::backing_at(Gpa at) const {
    RamBacking *backing = ram_;
    while (backing != nullptr && !backing->holds(at))
        backing = backing->next;
    return backing;
}

const volatile u8 *GuestSpace::ram_at(Gpa at, u64 size_bytes) const {
    if (size_bytes == 0 || size_bytes > kPageBytes - at.value() % kPageBytes)
        return nullptr;
    const RamBacking *const backing = backing_at(at);
    if (backing == nullptr)
        return nullptr;
    const u64 offset = at.value() - backing->base().value();
    if (!backing->frame(offset / backing->frame_bytes()).mapped)
        return nullptr;
    return backing->block().window + offset;
}

// ---------------------------------------------------------------- Mapping

bool GuestSpace::anything_mapped(GpaRange at) const {
    for (const RamBacking *backing = ram_; backing != nullptr; backing = backing->next) {
        if (!backing->mapped())
            continue;
        for (usize i = 0; i < backing->frame_count(); ++i) {
            const auto frame =
                GpaRange::make(Gpa{backing->base().value() + i * backing->frame_bytes()}, backing->frame_bytes());
            if (backing->frame(i).mapped && frame && at.overlaps(*frame))
                return true;
        }
    }
    for (const Foreign *foreign = foreign_; foreign != nullptr; foreign = foreign->next) {
        if (at.overlaps(*GpaRange::make(foreign->at, bit(foreign->size_bits))))
            return true;
    }
    return false;
}

Status<HostError> GuestSpace::map_cap(seL4_CPtr frame, Gpa at, seL4_CapRights_t rights,
                                      seL4_ARM_VMAttributes attributes) {
    for (;;) {
        const int error = seL4_ARM_Page_Map(frame, root_.cap(), at.value(), rights, attributes);
        if (error == 0)
            return Ok{};
        if (error != seL4_FailedLookup)
            return Err{host_error(error == seL4_DeleteFirst ? int{seL4_InvalidArgument} : error)};
        if (auto added = add_table(at); !added)
            return added;
    }
}

Status<HostError> GuestSpace::map_ram(GpaRange at, const RamBlock &block, u64 offset, Protection protection) {
    RamBacking *const backing = backing_of(block);
    if (backing == nullptr)
        return Err{HostError{HostErrorKind::invalid}};
    const u64 bytes = backing->frame_bytes();
    const Gpa base{at.base().value() - offset};
    if (!at.is_aligned_to(bytes) || !is_aligned(offset, bytes) || offset > block.size_bytes ||
        at.size() > block.size_bytes - offset || (backing->mapped() && backing->base() != base) || anything_mapped(at))
        return Err{HostError{HostErrorKind::invalid}};
    const usize first = offset / bytes;
    const usize count = at.size() / bytes;
    for (usize i = first; i < first + count; ++i) {
        const auto done = map_cap(backing->frame(i).guest.cap(), Gpa{base.value() + i * bytes}, rights_of(protection),
                                  attributes_of(protection));
        if (!done) {
            unmap(at);
            return done;
        }
        backing->note_mapped(i, base);
    }
    return Ok{};
}

Status<HostError> GuestSpace::protect(GpaRange at, Protection protection) {
    u64 next = at.base().value();
    while (next < at.end().value()) {
        RamBacking *const backing = backing_at(Gpa{next});
        if (backing == nullptr)
            return Err{HostError{HostErrorKind::invalid}};
        const u64 bytes = backing->frame_bytes();
        const usize index = (next - backing->base().value()) / bytes;
        if (!is_aligned(next, bytes) || at.end().value() - next < bytes || !backing->frame(index).mapped)
            return Err{HostError{HostErrorKind::invalid}};
        if (auto done =
                map_cap(backing->frame(index).guest.cap(), Gpa{next}, rights_of(protection), attributes_of(protection));
            !done)
            return done;
        next += bytes;
    }
    return Ok{};
}

void GuestSpace::unmap(GpaRange at) {
    for (RamBacking *backing = ram_; backing != nullptr; backing = backing->next) {
        const u64 bytes = backing->frame_bytes();
        for (usize i = 0; backing->mapped() && i < backing->frame_count(); ++i) {
            RamFrame &frame = backing->frame(i);
            if (!frame.mapped || !at.overlaps(*GpaRange::make(Gpa{backing->base().value() + i * bytes}, bytes)))
                continue;
            static_cast<void>(seL4_ARM_Page_Unmap(frame.guest.cap()));
            backing->note_unmapped(i);
        }
    }
    for (Foreign **place = &foreign_; *place != nullptr;) {
        Foreign *const foreign = *place;
        if (!at.overlaps(*GpaRange::make(foreign->at, bit(foreign->size_bits)))) {
            place = &foreign->next;
            continue;
        }
        *place = foreign->next;
        std::destroy_at(foreign); // deleting a mapped frame's capability unmaps it
        env_.allocator->deallocate(foreign, sizeof(Foreign), alignof(Foreign));
    }
}

Status<HostError> GuestSpace::add_foreign(CapSlot cap, Gpa at, unsigned size_bits, seL4_CapRights_t rights,
                                          seL4_ARM_VMAttributes attributes) {
    void *const block = env_.allocator->allocate(sizeof(Foreign), alignof(Foreign));
    if (block == nullptr)
        return Err{out_of_memory()};
    auto *const foreign = ::new (block) Foreign{std::move(cap), at, size_bits, foreign_};
    foreign_ = foreign;
    auto done = map_cap(foreign->cap.cap(), at, rights, attributes);
    if (!done) {
        foreign_ = foreign->next;
        std::destroy_at(foreign);
        env_.allocator->deallocate(foreign, sizeof(Foreign), alignof(Foreign));
    }
    return done;
}

Status<HostError> GuestSpace::map_device(GpaRange at, HostPhys phys) {
    if (!at.is_aligned_to(kPageBytes) || !is_aligned(phys.value(), kPageBytes) || anything_mapped(at))
        return Err{HostError{HostErrorKind::invalid}};
    u64 done = 0;
    while (done < at.size()) {
        const u64 together = (at.base().value() + done) | (phys.value() + done);
        const unsigned bits = std::min(unsigned{seL4_LargePageBits}, largest_frame_bits(together, at.size() - done));
        auto copy = env_.devices->get(HostPhys{phys.value() + done}, bits);
        const Gpa here{at.base().value() + done};
        Status<HostError> mapped = copy ? add_foreign(std::move(*copy), here, bits, seL4_ReadWrite, kDeviceAttributes)
                                        : Status<HostError>{Err{copy.error()}};
        if (!mapped) {
            if (done != 0)
                unmap(*GpaRange::make(at.base(), done));
            return mapped;
        }
        done += bit(bits);
    }
    return Ok{};
}

Status<HostError> GuestSpace::map_frame(Gpa at, seL4_CPtr frame, unsigned size_bits, seL4_CapRights_t rights,
                                        FrameMemory memory) {
    const auto range = GpaRange::make(at, size_bits < 48 ? bit(size_bits) : 0);
    if (!range || !range->is_aligned_to(kPageBytes) || !is_aligned(at.value(), range->size()) ||
        anything_mapped(*range))
        return Err{HostError{HostErrorKind::invalid}};
    CapSlot copy;
    if (auto done = copy.copy_of(*env_.vka, frame, seL4_AllRights); !done)
        return done;
    return add_foreign(std::move(copy), at, size_bits, rights,
                       memory == FrameMemory::normal ? seL4_ARM_Default_VMAttributes : kDeviceAttributes);
}

std::optional<GuestSpace::MappedFrame> GuestSpace::frame_at(Gpa at) const {
    if (const RamBacking *const backing = backing_at(at)) {
        const RamFrame &frame = backing->frame((at.value() - backing->base().value()) / backing->frame_bytes());
        if (frame.mapped)
            return MappedFrame{frame.guest.cap(), backing->frame_bits()};
        return std::nullopt;
    }
    for (const Foreign *foreign = foreign_; foreign != nullptr; foreign = foreign->next) {
        if (at.value() - foreign->at.value() < bit(foreign->size_bits))
            return MappedFrame{foreign->cap.cap(), foreign->size_bits};
    }
    return std::nullopt;
}

Result<HostPhys, HostError> GuestSpace::translate(Gpa at, u64 size_bytes) {
    u64 next = at.value();
    const u64 end = next + size_bytes;
    std::optional<u64> start;
    while (next < end) {
        const auto frame = frame_at(Gpa{next});
        if (!frame)
            return Err{HostError{HostErrorKind::invalid}};
        const u64 bytes = bit(frame->size_bits);
        const seL4_ARM_Page_GetAddress_t address = seL4_ARM_Page_GetAddress(frame->cap);
        const u64 phys = address.paddr + next % bytes;
        if (address.error != 0 || (start && phys != *start + (next - at.value())))
            return Err{HostError{HostErrorKind::invalid}};
        if (!start)
            start = phys;
        next = align_down(next, bytes) + bytes;
    }
    if (!start)
        return Err{HostError{HostErrorKind::invalid}};
    return HostPhys{*start};
}

// ---------------------------------------------------------------- Tables

GuestSpace::Table *GuestSpace::new_table() {
    void *const block = env_.allocator->allocate(sizeof(Table), alignof(Table));
    if (block == nullptr)
        return nullptr;
    auto *const table = ::new (block) Table{};
    if (!table->object.allocate(*env_.vka, seL4_ARM_PageTableObject, seL4_PageTableBits)) {
        std::destroy_at(table);
        env_.allocator->deallocate(table, sizeof(Table), alignof(Table));
        return nullptr;
    }
    return table;
}

Status<HostError> GuestSpace::add_table(Gpa at) {
    Table *table = spare_;
    if (table != nullptr)
        spare_ = table->next;
    else
        table = new_table();
    if (table == nullptr)
        return Err{out_of_memory()};
    const int error =
        seL4_ARM_PageTable_Map(table->object.cap(), root_.cap(), at.value(), seL4_ARM_Default_VMAttributes);
    Table *&list = error == 0 ? tables_ : spare_;
    table->next = list;
    list = table;
    if (error != 0)
        return Err{host_error(error)};
    return Ok{};
}

// One table for each GiB and each 2 MiB, and one above: the most that mapping 4 KiB frames could take.
Status<HostError> GuestSpace::reserve_tables(GpaRange at) {
    u64 count = 1;
    for (const u64 reach : {kGiB, 2 * kMiB})
        count += (at.end().value() - 1) / reach - at.base().value() / reach + 1;
    for (; count > 0; --count) {
        Table *const table = new_table();
        if (table == nullptr)
            return Err{out_of_memory()};
        table->next = spare_;
        spare_ = table;
    }
    return Ok{};
}

void GuestSpace::free_tables(Table *list) {
    while (list != nullptr) {
        Table *const table = list;
        list = table->next;
        std::destroy_at(table);
        env_.allocator->deallocate(table, sizeof(Table), alignof(Table));
    }
}

void GuestSpace::clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) {
    RamBacking *const backing = backing_of(block);
    if (backing == nullptr || offset > block.size_bytes || size_bytes > block.size_bytes - offset)
        return;
    clean_window(*backing, offset, size_bytes);
}

} // namespace sel4vm::sel4
