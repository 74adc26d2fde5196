// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/guest_memory.h, its helpers and its Arm part, and sel4vm/guest_iospace.h.
#include <sel4vm/guest_memory.h>

#include <sel4vm/capi/arguments.hpp>

#include <sel4vm/guest_iospace.h>
#include <sel4vm/guest_memory_helpers.h>

using namespace sel4vm;

namespace {

vm_memory_reservation_t *add(capi::Machine &machine, const char *call, std::optional<GpaRange> range,
                             memory_fault_callback_fn callback, void *cookie) {
    const char *why = nullptr;
    if (callback == nullptr)
        why = "the callback is NULL";
    else if (!range)
        why = "there is no such range";
    if (why == nullptr) {
        const capi::AllocationGuard guard(machine.client_lock());
        const auto added = machine.reservations().add(*range, {callback, cookie});
        if (added)
            return *added;
        why = added.error();
    }
    machine.complain(call, why);
    return nullptr;
}

} // namespace

vm_memory_reservation_t *vm_reserve_memory_at(vm_t *vm, uintptr_t addr, size_t size,
                                              memory_fault_callback_fn fault_callback, void *cookie) {
    capi::Machine *machine = capi::machine_of(vm, "vm_reserve_memory_at");
    if (machine == nullptr)
        return nullptr;
    return add(*machine, "vm_reserve_memory_at", GpaRange::make(Gpa{addr}, size), fault_callback, cookie);
}

vm_memory_reservation_t *vm_reserve_anon_memory(vm_t *vm, size_t size, size_t align,
                                                memory_fault_callback_fn fault_callback, void *cookie,
                                                uintptr_t *addr) {
    constexpr const char *kCall = "vm_reserve_anon_memory";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return nullptr;
    const u64 alignment = align == 0 ? kPageBytes : align;
    if (addr == nullptr || !is_power_of_two(alignment)) {
        machine->complain(kCall, "addr is NULL, or align is no power of two");
        return nullptr;
    }
    const auto place = machine->reservations().find_place(size, alignment);
    vm_memory_reservation_t *reservation = add(*machine, kCall, place, fault_callback, cookie);
    if (reservation != nullptr)
        *addr = place->base().value();
    return reservation;
}

int vm_memory_make_anon(vm_t *vm, uintptr_t addr, size_t size) {
    capi::Machine *machine = capi::machine_of(vm, "vm_memory_make_anon");
    if (machine == nullptr)
        return -1;
    const auto range = GpaRange::make(Gpa{addr}, size);
    const char *why = range ? machine->reservations().add_anonymous_range(*range) : "there is no such range";
    return capi::result_of(*machine, "vm_memory_make_anon", why);
}

int vm_free_reserved_memory(vm_t *vm, vm_memory_reservation_t *reservation) {
    capi::Machine *machine = capi::machine_of(vm, "vm_free_reserved_memory");
    if (machine == nullptr)
        return -1;
    const capi::AllocationGuard guard(machine->client_lock());
    return capi::result_of(*machine, "vm_free_reserved_memory", machine->reservations().remove(reservation));
}

int vm_map_reservation(vm_t *vm, vm_memory_reservation_t *reservation, memory_map_iterator_fn map_iterator,
                       void *cookie) {
    constexpr const char *kCall = "vm_map_reservation";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return -1;
    if (map_iterator == nullptr || !machine->reservations().owns(reservation))
        return capi::fail(*machine, kCall, "the page provider is NULL, or the reservation is none of this VM's");
    const capi::FrameSource frames{map_iterator, cookie};
    const capi::AllocationGuard guard(machine->client_lock());
    return capi::result_of(*machine, kCall,
                           machine->map_when() == capi::MapWhen::at_first_access
                               ? reservation->map_later(frames)
                               : reservation->map_now(frames, reservation->pages()));
}

int vm_map_reservation_frames(vm_t *vm, vm_memory_reservation_t *reservation, seL4_CPtr *frames, size_t num_frames,
                              size_t frame_size_bits) {
    constexpr const char *kCall = "vm_map_reservation_frames";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return -1;
    if (frames == nullptr || !machine->reservations().owns(reservation))
        return capi::fail(*machine, kCall, "frames is NULL, or the reservation is none of this VM's");
    const capi::AllocationGuard guard(machine->client_lock());
    return capi::result_of(*machine, kCall,
                           reservation->map_array({frames, num_frames}, frame_size_bits, machine->map_when()));
}

void vm_get_reservation_memory_region(vm_memory_reservation_t *reservation, uintptr_t *addr, size_t *size) {
    if (reservation == nullptr) {
        capi::complain("vm_get_reservation_memory_region", "the reservation is NULL");
        return;
    }
    if (addr != nullptr)
        *addr = reservation->range().base().value();
    if (size != nullptr)
        *size = reservation->range().size();
}

int vm_memory_init(vm_t *vm) { return capi::machine_of(vm, "vm_memory_init") == nullptr ? -1 : 0; }

memory_fault_result_t default_error_fault_callback(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t fault_addr, size_t fault_length,
                                                   void *cookie) {
    static_cast<void>(cookie);
    static_cast<void>(fault_length);
    const capi::Machine *machine = capi::machine_of(vm, "default_error_fault_callback");
    if (machine != nullptr && vcpu != nullptr) {
        Text<120> why;
        why << "vCPU " << vcpu->vcpu_id << ": a fault at " << Hex{fault_addr} << ", where none should be";
        machine->resources().log().line(LogLevel::error, machine->vm().name(), why.view());
    }
    return FAULT_ERROR;
}

uintptr_t vm_arm_ipa_to_pa(vm_t *vm, uintptr_t ipa_base, size_t size) {
    capi::Machine *machine = capi::machine_of(vm, "vm_arm_ipa_to_pa");
    if (machine == nullptr)
        return 0;
    const auto phys = size == 0 ? Result<HostPhys, HostError>{Err{HostError{HostErrorKind::invalid}}}
                                : machine->binding().translate(Gpa{ipa_base}, size);
    return phys ? phys->value() : 0;
}

int vm_guest_add_iospace(vm_t *vm, vspace_t *loader, seL4_CPtr iospace) {
    constexpr const char *kCall = "vm_guest_add_iospace";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return -1;
    if (loader == nullptr || iospace == seL4_CapNull)
        return capi::fail(*machine, kCall, "loader is NULL, or there is no iospace");
    if (machine->vm().memory().region_count() > 0 || machine->reservations().any_mapped())
        return capi::fail(*machine, kCall, "guest memory is mapped already");
    const capi::AllocationGuard guard(machine->client_lock());
    const bool added = machine->binding().add_iospace(*loader, iospace).has_value();
    return capi::result_of(*machine, kCall, added ? nullptr : "the host has no IOMMU, or refused the domain");
}
