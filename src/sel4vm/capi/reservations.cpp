// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/capi/reservations.hpp>

#include <sel4vm/capi/machine.hpp>

#include <algorithm>

namespace sel4vm::capi {

namespace {

constexpr u64 kBitsPerWord = 64;

const char *why_not(AttachError error, const char *overlap) {
    switch (error) {
    case AttachError::too_many: return "there are too many reservations";
    case AttachError::out_of_memory: return "out of memory";
    default: return overlap;
    }
}

/// The pages that a range touches; the range itself at the very end of all addresses.
GpaRange pages_of(GpaRange range) {
    const u64 first = range.base().value() & ~(kPageBytes - 1);
    const auto last = align_up(range.end().value(), kPageBytes);
    const auto pages = last ? GpaRange::make(Gpa{first}, *last - first) : std::nullopt;
    return pages.value_or(range);
}

} // namespace

// ---------------------------------------------------------------- one reservation

Reservation::Reservation(Machine &machine, GpaRange range, MemoryCallback callback)
    : machine_(machine), range_(range), pages_(pages_of(range)), callback_(callback) {}

std::optional<GpaRange> Reservation::first_rest() const {
    return GpaRange::make(pages_.base(), range_.base().value() - pages_.base().value());
}

std::optional<GpaRange> Reservation::last_rest() const {
    return GpaRange::make(range_.end(), pages_.end().value() - range_.end().value());
}

const char *Reservation::take_whole_pages() {
    constexpr const char *kTaken = "something else lies in its first or last page";
    if (!pages_.is_aligned_to(kPageBytes))
        return "there are no addresses behind it";
    const auto first = first_rest();
    const auto last = last_rest();
    if (first) {
        if (const auto taken = machine_.vm().reserve(*first, *this); !taken)
            return why_not(taken.error(), kTaken);
    }
    if (last) {
        if (const auto taken = machine_.vm().reserve(*last, *this); !taken) {
            if (first)
                static_cast<void>(machine_.vm().detach(first->base()));
            return why_not(taken.error(), kTaken);
        }
    }
    return nullptr;
}

void Reservation::give_back_rests() {
    for (const auto &rest : {first_rest(), last_rest()}) {
        if (rest)
            static_cast<void>(machine_.vm().detach(rest->base()));
    }
}

const char *Reservation::map_frame_at(u64 at, const FrameSource &frames, GpaRange part, u64 &next) {
    constexpr usize kLargestFrameBits = 39;
    asking_ = true;
    const vm_frame_t frame = [&] {
        const VmGroup::Callback callback(machine_.group());
        return frames.next(at, frames.cookie);
    }();
    asking_ = false;
    if (frame.cptr == seL4_CapNull)
        return "the page provider has no frame";
    if (frame.size_bits < seL4_PageBits || frame.size_bits > kLargestFrameBits)
        return "a frame has an impossible size";
    const auto covers = GpaRange::make(Gpa{frame.vaddr}, bit<u64>(static_cast<unsigned>(frame.size_bits)));
    if (!covers || !is_aligned(frame.vaddr, covers->size()) || !covers->contains(Gpa{at}) || !part.contains(*covers))
        return "a frame does not fit where it is wanted";
    if (!machine_.binding().map_frame(covers->base(), frame))
        return "the host could not map a frame";
    next = covers->end().value();
    return nullptr;
}

const char *Reservation::map_now(const FrameSource &frames, GpaRange part) {
    if (asking_)
        return "called from its page provider";
    if (mapped_)
        return "it is mapped already";
    if (const char *why = take_whole_pages())
        return why;
    u64 next = part.base().value();
    while (next < part.end().value()) {
        if (const char *why = map_frame_at(next, frames, part, next)) {
            machine_.binding().unmap_frames(part);
            give_back_rests();
            return why;
        }
    }
    mapped_ = true;
    return nullptr;
}

const char *Reservation::map_later(const FrameSource &frames) {
    if (asking_)
        return "called from its page provider";
    if (mapped_)
        return "it is mapped already";
    // So that a first access cannot run out of page tables.
    if (!machine_.resources().space().reserve_tables(pages_))
        return "the host has not enough memory for its page tables";
    const u64 pages = pages_.size() / kPageBytes;
    pages_done_ = OwnedArray<u64>::make(machine_.resources().allocator(), (pages + kBitsPerWord - 1) / kBitsPerWord);
    if (!pages_done_)
        return "out of memory";
    if (const char *why = take_whole_pages())
        return why;
    later_ = frames;
    mapped_ = true;
    return nullptr;
}

vm_frame_t Reservation::frame_of_array(uintptr_t addr, void *cookie) {
    const auto *self = static_cast<const Reservation *>(cookie);
    const u64 index = (addr - self->pages_.base().value()) >> self->array_bits_;
    vm_frame_t frame{};
    if (index >= self->array_.size())
        return frame;
    frame.cptr = self->array_[index];
    frame.rights = seL4_AllRights;
    frame.vaddr = self->pages_.base().value() + (index << self->array_bits_);
    frame.size_bits = self->array_bits_;
    return frame;
}

const char *Reservation::map_array(std::span<const seL4_CPtr> frames, usize size_bits, MapWhen when) {
    if (asking_)
        return "called from its page provider";
    if (mapped_)
        return "it is mapped already";
    if (size_bits != seL4_PageBits && size_bits != seL4_LargePageBits && size_bits != seL4_HugePageBits)
        return "there are no frames of that size";
    if (frames.empty())
        return "there are no frames";
    // More than are needed are left alone.
    frames = frames.first(std::min<usize>(frames.size(), pages_.size() >> size_bits));
    if (frames.empty())
        return "a frame is larger than it";
    if (std::find(frames.begin(), frames.end(), seL4_CPtr{seL4_CapNull}) != frames.end())
        return "a frame is seL4_CapNull";
    array_ = OwnedArray<seL4_CPtr>::make(machine_.resources().allocator(), frames.size());
    if (!array_)
        return "out of memory";
    std::copy(frames.begin(), frames.end(), array_.begin());
    array_bits_ = size_bits;
    const auto part = GpaRange::make(pages_.base(), u64{frames.size()} << size_bits);
    const FrameSource source{frame_of_array, this};
    const bool deferred = when == MapWhen::at_first_access;
    const char *why = deferred ? map_later(source) : map_now(source, *part);
    if (why != nullptr || !deferred)
        array_ = {};
    // Behind the array nothing is ever mapped: faults there go to the callback.
    else
        for (u64 page = part->size() / kPageBytes; page < pages_.size() / kPageBytes; ++page)
            mark_done(page);
    return why;
}

void Reservation::mark_done(u64 page) {
    pages_done_[page / kBitsPerWord] |= bit<u64>(static_cast<unsigned>(page % kBitsPerWord));
}

void Reservation::unmap() {
    if (!mapped_)
        return;
    machine_.binding().unmap_frames(pages_);
    give_back_rests();
}

Reservation::Deferred Reservation::touch(Gpa at) {
    const u64 page = pages_.offset_of(at) / kPageBytes;
    if ((pages_done_[page / kBitsPerWord] >> page % kBitsPerWord & 1) != 0)
        return Deferred::mapped_before;
    const u64 first = pages_.base().value() + page * kPageBytes;
    u64 next = 0;
    // Asked for one page, the provider may give a frame that began before it.
    AllocationGuard guard(machine_.client_lock());
    if (const char *why = map_frame_at(first, later_, pages_, next)) {
        machine_.complain("deferred mapping", why);
        return Deferred::failed;
    }
    for (u64 done = page; done < (next - pages_.base().value()) / kPageBytes; ++done)
        mark_done(done);
    return Deferred::mapped_now;
}

Answer Reservation::fault(Vcpu &vcpu, const MemoryExit &exit) {
    GuestVcpu &guest = machine_.guest_vcpu(vcpu.id());
    if (later_.next != nullptr) {
        switch (touch(exit.gpa)) {
        case Deferred::mapped_now: return Answer::retry();
        case Deferred::failed: return guest.mapping_failed(exit);
        case Deferred::mapped_before: break;
        }
    }
    // What its frames did not map of their first and last page is nobody's.
    if (!range_.contains(exit.gpa))
        return Answer::none();
    // The callback may free this reservation: nothing of it is used afterwards.
    return guest.reservation_fault(exit, callback_);
}

// ---------------------------------------------------------------- all of a VM

Reservations::~Reservations() {
    while (all_.size() > 0)
        static_cast<void>(remove_at(all_.size() - 1));
}

bool Reservations::owns(const vm_memory_reservation_t *reservation) const {
    return std::find(all_.begin(), all_.end(), reservation) != all_.end();
}

bool Reservations::any_mapped() const {
    return std::any_of(all_.begin(), all_.end(), [](const vm_memory_reservation_t *one) { return one->is_mapped(); });
}

Result<vm_memory_reservation_t *, const char *> Reservations::add(GpaRange range, MemoryCallback callback) {
    if (!all_.reserve(1))
        return Err{"out of memory"};
    auto *reservation = create<vm_memory_reservation>(allocator_, machine_, range, callback);
    if (reservation == nullptr)
        return Err{"out of memory"};
    const auto attached = machine_.vm().reserve(range, *reservation);
    if (!attached) {
        destroy(allocator_, reservation);
        return Err{why_not(attached.error(), "it overlaps RAM, a device or a reservation")};
    }
    SEL4VM_ASSERT(all_.push_back(reservation)); // reserved above
    return reservation;
}

const char *Reservations::remove(vm_memory_reservation_t *reservation) {
    auto *place = std::find(all_.begin(), all_.end(), reservation);
    if (place == all_.end())
        return "it is none of this VM's";
    return remove_at(static_cast<usize>(place - all_.begin()));
}

const char *Reservations::remove_at(usize index) {
    vm_memory_reservation_t *reservation = all_[index];
    if (reservation->is_being_mapped())
        return "called from its page provider";
    all_.erase(index);
    SEL4VM_ASSERT(machine_.vm().detach(reservation->range().base()));
    reservation->unmap();
    destroy(allocator_, reservation);
    return nullptr;
}

const char *Reservations::add_anonymous_range(GpaRange range) {
    for (const Anonymous &other : anonymous_) {
        if (other.range().overlaps(range))
            return "it overlaps another anonymous range";
    }
    return anonymous_.push_back({range.base().value(), range.size()}) ? nullptr : "out of memory";
}

/// Where to look next when something lies in `range`.
std::optional<u64> Reservations::end_of_first_in_the_way(GpaRange range) const {
    if (const auto device = machine_.vm().map().first_overlap(range))
        return device->end().value();
    const GuestMemory &memory = machine_.vm().memory();
    for (usize i = 0; i < memory.region_count(); ++i) {
        if (memory.region(i).range.overlaps(range))
            return memory.region(i).range.end().value();
    }
    return std::nullopt;
}

std::optional<GpaRange> Reservations::find_place(u64 size_bytes, u64 alignment) const {
    for (const Anonymous &anonymous : anonymous_) {
        u64 from = anonymous.base;
        for (;;) {
            const auto at = align_up(from, alignment);
            const auto place = at ? GpaRange::make(Gpa{*at}, size_bytes) : std::nullopt;
            if (!place || !anonymous.range().contains(*place))
                break;
            const auto blocked_until = end_of_first_in_the_way(*place);
            if (!blocked_until)
                return place;
            from = *blocked_until;
        }
    }
    return std::nullopt;
}

} // namespace sel4vm::capi
