// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/el2/objects.hpp>

#include <bindings/el2/program.hpp>

#include <algorithm>
#include <memory>
#include <new>

namespace sel4vm::el2 {

namespace {

Program &program_of(void *data) { return *static_cast<Program *>(data); }

template <class T, class... Args>
T *create(Allocator &allocator, Args &&...args) {
    void *block = allocator.allocate(sizeof(T), alignof(T));
    return block == nullptr ? nullptr : ::new (block) T(std::forward<Args>(args)...);
}

template <class T>
void destroy(Allocator &allocator, T *object) {
    std::destroy_at(object);
    allocator.deallocate(object, sizeof(T), alignof(T));
}

template <class T>
seL4_CPtr handle_of(HandleKind kind, T *object) {
    static_assert(alignof(T) > kHandleKindMask);
    return object == nullptr ? seL4_CapNull : make_handle(kind, reinterpret_cast<uptr>(object));
}

/// A frame of RAM, or of a device when it is asked for by an address where the machine has no RAM.
seL4_CPtr make_frame(Host &host, u64 size_bits, uintptr_t paddr) {
    const HandleKind kind = frame_kind(size_bits);
    if (kind == HandleKind::none)
        return seL4_CapNull;
    const u64 bytes = u64{1} << size_bits;
    if (paddr == VKA_NO_PADDR) {
        const auto block = host.pages().allocate_ram(bytes, bytes, Clearing::cleared);
        if (!block)
            return seL4_CapNull;
        if (block->size_bytes == bytes)
            return make_handle(kind, block->phys.value());
        host.pages().free_ram(*block);
        return seL4_CapNull;
    }
    const auto range = HostPhysRange::make(HostPhys{paddr}, bytes);
    if (!range || !is_aligned(paddr, bytes))
        return seL4_CapNull;
    if (is_ram(host.platform(), range->base()) && !host.pages().allocate_ram_at(*range, Clearing::cleared))
        return seL4_CapNull;
    return make_handle(kind, paddr);
}

void free_frame(Host &host, seL4_CPtr frame) {
    const auto range = frame_range(frame);
    if (!range || !is_ram(host.platform(), range->base()))
        return;
    // SAFETY: RAM is mapped at its own address.
    host.pages().free_ram({range->base(), reinterpret_cast<volatile u8 *>(range->base().value()), range->size()});
}

int alloc_object(void *data, seL4_Word type, seL4_Word size_bits, uintptr_t paddr, vka_object_t *result) {
    Program &program = program_of(data);
    Allocator &heap = program.host().heap();
    *result = {};
    switch (type) {
    case seL4_EndpointObject: result->cptr = handle_of(HandleKind::endpoint, create<Endpoint>(heap)); break;
    case seL4_NotificationObject: result->cptr = handle_of(HandleKind::notification, create<Notification>(heap)); break;
    case seL4_ARM_SmallPageObject:
    case seL4_ARM_LargePageObject:
    case seL4_ARM_HugePageObject: result->cptr = make_frame(program.host(), size_bits, paddr); break;
    default: break;
    }
    if (result->cptr == seL4_CapNull)
        return -1;
    result->type = type;
    result->size_bits = size_bits;
    return 0;
}

void free_object(void *data, vka_object_t *object) {
    Program &program = program_of(data);
    Allocator &heap = program.host().heap();
    if (auto *endpoint = object_of<Endpoint>(HandleKind::endpoint, object->cptr))
        destroy(heap, endpoint);
    else if (auto *notification = object_of<Notification>(HandleKind::notification, object->cptr))
        destroy(heap, notification);
    else
        free_frame(program.host(), object->cptr);
    *object = {};
}

uintptr_t object_paddr(void *, const vka_object_t *object) {
    const auto range = frame_range(object->cptr);
    return range ? range->base().value() : VKA_NO_PADDR;
}

} // namespace

vka_t make_vka(Program &program) { return {&program, alloc_object, free_object, object_paddr}; }

bool is_ram(const PlatformInfo &platform, HostPhys page) {
    return std::any_of(platform.ram.begin(), platform.ram.end(),
                       [page](const HostPhysRange &ram) { return ram.contains(page); });
}

} // namespace sel4vm::el2
