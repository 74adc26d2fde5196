// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/guest_ram.h
#include <sel4vm/guest_ram.h>

#include <sel4vm/capi/arguments.hpp>

#include <cstring>

using namespace sel4vm;

namespace {

/// The pages that hold it, so that what vm_ram_allocate() gives out begins at one. No value: there is nothing, or it wraps.
std::optional<GpaRange> whole_pages(uintptr_t start, size_t bytes) {
    const u64 first = align_down(start, kPageBytes);
    u64 size = 0;
    if (bytes == 0 || __builtin_add_overflow(u64{bytes}, start - first, &size))
        return std::nullopt;
    const auto rounded = align_up(size, kPageBytes);
    return rounded ? GpaRange::make(Gpa{first}, *rounded) : std::nullopt;
}

/// The pages of a touch, given to the client's callback.
class Touching final : public GuestMemory::Visitor {
public:
    Touching(vm_t &vm, ram_touch_callback_fn callback, void *cookie) : vm_(vm), callback_(callback), cookie_(cookie) {}

    [[nodiscard]] bool part(Gpa at, volatile u8 *window, u64 done, u64 count) override {
        // SAFETY: the client accepts that the guest may change the bytes at any time (guest_ram.h).
        result_ = callback_(&vm_, at.value(), const_cast<u8 *>(window), count, done, cookie_);
        return result_ == 0;
    }
    [[nodiscard]] int result() const { return result_; }

private:
    vm_t &vm_;
    ram_touch_callback_fn callback_;
    void *cookie_;
    int result_ = 0;
};

/// Asks the client's page provider, and looks at what the guest may do with its frames.
class WatchedFrames {
public:
    explicit WatchedFrames(capi::FrameSource client) : client_(client) {}
    [[nodiscard]] capi::FrameSource source() { return {next, this}; }
    /// Why they are no memory of one kind; nullptr: they are.
    [[nodiscard]] const char *why_not() const {
        if (any_unreadable_)
            return "a frame of RAM needs the right to read";
        return any_writable_ && any_read_only_ ? "its frames differ in the right to write" : nullptr;
    }
    [[nodiscard]] RegionKind kind() const { return any_read_only_ ? RegionKind::rom : RegionKind::ram; }

private:
    static vm_frame_t next(uintptr_t addr, void *cookie) {
        auto &self = *static_cast<WatchedFrames *>(cookie);
        const vm_frame_t frame = self.client_.next(addr, self.client_.cookie);
        const bool writable = seL4_CapRights_get_capAllowWrite(frame.rights) != 0;
        self.any_unreadable_ |= seL4_CapRights_get_capAllowRead(frame.rights) == 0;
        self.any_writable_ |= writable;
        self.any_read_only_ |= !writable;
        return frame;
    }
    capi::FrameSource client_;
    bool any_unreadable_ = false;
    bool any_writable_ = false;
    bool any_read_only_ = false;
};

/// Whether a guest may look at memory with its caches off before anything else makes it coherent.
bool must_clean(capi::Machine &machine) {
    return machine.vm().state() != VmState::running || machine.c().mem.clean_cache;
}

/// RAM comes in whole pages: a size in the middle of one is rounded up.
std::optional<GpaRange> pages(uintptr_t start, size_t bytes) {
    const auto rounded = align_up(u64{bytes}, kPageBytes);
    if (!rounded || !is_aligned(start, kPageBytes))
        return std::nullopt;
    return GpaRange::make(Gpa{start}, *rounded);
}

/// Why pages() has none.
Text<160> describe_no_pages(uintptr_t start, size_t bytes) {
    if (is_aligned(start, kPageBytes))
        return capi::describe_bad_range(start, bytes);
    Text<160> why;
    why << "the start " << Hex{start} << " is no multiple of " << Hex{kPageBytes};
    return why;
}

/// Which byte of [addr, addr + size) is the first that is no RAM. One is.
Text<160> describe_no_ram(const GuestMemory &memory, u64 addr, u64 size) {
    u64 ram = 0; // so much is
    for (u64 beyond = size; beyond - ram > 1;) {
        const u64 middle = ram + (beyond - ram) / 2;
        (memory.contains(Gpa{addr}, middle) ? ram : beyond) = middle;
    }
    Text<160> why;
    why << Hex{addr + ram} << " is no RAM";
    if (ram != 0)
        why << ", and is among the " << Hex{size} << " bytes from " << Hex{addr} << " on";
    return why;
}

/// Marks what of the range is RAM, or says why not.
void mark(vm_t *vm, const char *call, uintptr_t start, size_t bytes, capi::RamUse use) {
    capi::Machine *machine = capi::machine_of(vm, call);
    if (machine == nullptr)
        return;
    const auto range = whole_pages(start, bytes);
    if (!range)
        machine->complain(call, capi::describe_bad_range(start, bytes).view());
    else if (!machine->ram().mark(*range, use))
        machine->complain(call, "out of memory");
}

} // namespace

int vm_guest_ram_read_callback(vm_t *vm, uintptr_t guest_addr, void *vaddr, size_t size, size_t offset, void *buf) {
    static_cast<void>(vm);
    static_cast<void>(guest_addr);
    std::memcpy(static_cast<u8 *>(buf) + offset, vaddr, size);
    return 0;
}

int vm_guest_ram_write_callback(vm_t *vm, uintptr_t guest_addr, void *vaddr, size_t size, size_t offset, void *buf) {
    static_cast<void>(vm);
    static_cast<void>(guest_addr);
    std::memcpy(vaddr, static_cast<const u8 *>(buf) + offset, size);
    return 0;
}

int vm_ram_touch(vm_t *vm, uintptr_t addr, size_t size, ram_touch_callback_fn touch_callback, void *cookie) {
    constexpr const char *kCall = "vm_ram_touch";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return -1;
    GuestMemory &memory = machine->vm().memory();
    if (size == 0 && touch_callback != nullptr && memory.contains(Gpa{addr}, 1))
        return 0; // nothing to see
    if (touch_callback == nullptr)
        return capi::fail(*machine, kCall, "touch_callback is NULL");
    if (!memory.contains(Gpa{addr}, size))
        return capi::fail(*machine, kCall, describe_no_ram(memory, addr, size).view());
    const capi::VmGroup::Callback callback(machine->group());
    Touching touching(*vm, touch_callback, cookie);
    if (!memory.visit(Gpa{addr}, size, touching))
        return capi::fail(*machine, kCall, "the host could not map it");
    if (must_clean(*machine) && !memory.clean(Gpa{addr}, size))
        return capi::fail(*machine, kCall, "the host could not map it");
    return touching.result();
}

int vm_ram_find_largest_free_region(vm_t *vm, uintptr_t *addr, size_t *size) {
    constexpr const char *kCall = "vm_ram_find_largest_free_region";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return -1;
    const auto largest = machine->ram().largest_free();
    if (addr == nullptr || size == nullptr)
        return capi::fail(*machine, kCall, addr == nullptr ? "addr is NULL" : "size is NULL");
    if (!largest)
        return capi::fail(*machine, kCall, "there is no free RAM");
    *addr = largest->base().value();
    *size = largest->size();
    return 0;
}

uintptr_t vm_ram_register(vm_t *vm, size_t bytes) {
    constexpr const char *kCall = "vm_ram_register";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return 0;
    const auto wanted = pages(0, bytes);
    if (!wanted) {
        machine->complain(kCall, describe_no_pages(0, bytes).view());
        return 0;
    }
    const u64 size = wanted->size();
    // Where the host can use its large frames, if there is such a place.
    auto place = size >= 2 * kMiB ? machine->reservations().find_place(size, 2 * kMiB) : std::nullopt;
    if (!place)
        place = machine->reservations().find_place(size, kPageBytes);
    const capi::AllocationGuard guard(machine->client_lock());
    const char *why = place ? machine->add_ram(*place) : "the anonymous ranges have no room";
    if (why != nullptr) {
        machine->complain(kCall, why);
        return 0;
    }
    return place->base().value();
}

int vm_ram_register_at(vm_t *vm, uintptr_t start, size_t bytes, bool untyped) {
    constexpr const char *kCall = "vm_ram_register_at";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return -1;
    const auto range = pages(start, bytes);
    if (!range)
        return capi::fail(*machine, kCall, describe_no_pages(start, bytes).view());
    const capi::AllocationGuard guard(machine->client_lock());
    if (!untyped)
        return capi::result_of(*machine, kCall, machine->add_ram(*range));
    const auto block = machine->binding().allocate_ram_at(HostPhys{start}, range->size(), Clearing::cleared);
    return capi::result_of(*machine, kCall, machine->adopt_ram(*range, block));
}

int vm_ram_register_at_custom_iterator(vm_t *vm, uintptr_t start, size_t bytes, memory_map_iterator_fn map_iterator,
                                       void *cookie) {
    constexpr const char *kCall = "vm_ram_register_at_custom_iterator";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return -1;
    const auto range = pages(start, bytes);
    if (map_iterator == nullptr)
        return capi::fail(*machine, kCall, "map_iterator is NULL");
    if (!range)
        return capi::fail(*machine, kCall, describe_no_pages(start, bytes).view());
    const capi::AllocationGuard guard(machine->client_lock());
    const capi::VmGroup::Callback callback(machine->group());
    WatchedFrames frames({map_iterator, cookie});
    const auto block = machine->binding().adopt_ram(range->base(), range->size(), frames.source());
    if (const char *why = frames.why_not(); block && why != nullptr) {
        machine->resources().space().free_ram(*block);
        return capi::fail(*machine, kCall, why);
    }
    return capi::result_of(*machine, kCall, machine->adopt_ram(*range, block, frames.kind()));
}

void vm_ram_mark_allocated(vm_t *vm, uintptr_t start, size_t bytes) {
    mark(vm, "vm_ram_mark_allocated", start, bytes, capi::RamUse::allocated);
}

uintptr_t vm_ram_allocate(vm_t *vm, size_t bytes) {
    constexpr const char *kCall = "vm_ram_allocate";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return 0;
    const auto rounded = bytes == 0 ? std::nullopt : align_up(bytes, kPageBytes);
    const auto at = rounded ? machine->ram().allocate(*rounded) : std::nullopt;
    if (!at) {
        Text<160> why;
        if (bytes == 0)
            why << "the size is 0";
        else
            why << "no free region has " << Hex{bytes} << " bytes";
        machine->complain(kCall, why.view());
        return 0;
    }
    return at->value();
}

void vm_ram_free(vm_t *vm, uintptr_t start, size_t bytes) { mark(vm, "vm_ram_free", start, bytes, capi::RamUse::free); }
