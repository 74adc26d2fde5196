// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/guest_memory.h, its helpers and its Arm part, and sel4vm/guest_iospace.h.
#include <sel4vm/guest_memory.h>

#include <sel4vm/capi/arguments.hpp>

#include <sel4vm/guest_iospace.h>
#include <sel4vm/guest_memory_helpers.h>

using namespace sel4vm;

namespace {

vm_memory_reservation_t *add(capi::Machine &machine, const char *call, GpaRange range,
                             memory_fault_callback_fn callback, void *cookie) {
    const capi::AllocationGuard guard(machine.client_lock());
    const auto added = machine.reservations().add(range, {callback, cookie});
    if (added)
        return *added;
    machine.complain(call, added.error());
    return nullptr;
}

/// Why there is no place for an anonymous reservation.
Text<160> describe_no_place(capi::Machine &machine, u64 size, u64 alignment) {
    Text<160> why;
    if (!machine.reservations().has_anonymous_ranges())
        why << "there is no anonymous range; vm_memory_make_anon() makes one";
    else
        why << "no anonymous range has " << Hex{size} << " free bytes at a multiple of " << Hex{alignment};
    return why;
}

/// nullptr, or what is wrong with the arguments of a mapping.
const char *why_not_mapped(capi::Machine &machine, const vm_memory_reservation_t *reservation, bool has_pages,
                           const char *no_pages) {
    if (!has_pages)
        return no_pages;
    if (reservation == nullptr)
        return "the reservation is NULL";
    return machine.reservations().owns(reservation) ? nullptr : "the reservation is none of this VM's";
}

} // namespace

vm_memory_reservation_t *vm_reserve_memory_at(vm_t *vm, uintptr_t addr, size_t size,
                                              memory_fault_callback_fn fault_callback, void *cookie) {
    capi::Machine *machine = capi::machine_of(vm, "vm_reserve_memory_at");
    if (machine == nullptr)
        return nullptr;
    constexpr const char *kCall = "vm_reserve_memory_at";
    const auto range = GpaRange::make(Gpa{addr}, size);
    if (fault_callback != nullptr && range)
        return add(*machine, kCall, *range, fault_callback, cookie);
    if (fault_callback == nullptr)
        machine->complain(kCall, "fault_callback is NULL");
    else
        machine->complain(kCall, capi::describe_bad_range(addr, size).view());
    return nullptr;
}

vm_memory_reservation_t *vm_reserve_anon_memory(vm_t *vm, size_t size, size_t align,
                                                memory_fault_callback_fn fault_callback, void *cookie,
                                                uintptr_t *addr) {
    constexpr const char *kCall = "vm_reserve_anon_memory";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return nullptr;
    const u64 alignment = align == 0 ? kPageBytes : align;
    Text<160> why;
    if (addr == nullptr)
        why << "addr is NULL, where the place is told";
    else if (fault_callback == nullptr)
        why << "fault_callback is NULL";
    else if (size == 0)
        why << "the size is 0";
    else if (!is_power_of_two(alignment))
        why << "align is " << Hex{alignment} << ", which is no power of two";
    const auto place = why.view().empty() ? machine->reservations().find_place(size, alignment) : std::nullopt;
    if (!place) {
        machine->complain(kCall, why.view().empty() ? describe_no_place(*machine, size, alignment).view() : why.view());
        return nullptr;
    }
    vm_memory_reservation_t *reservation = add(*machine, kCall, *place, fault_callback, cookie);
    if (reservation != nullptr)
        *addr = place->base().value();
    return reservation;
}

int vm_memory_make_anon(vm_t *vm, uintptr_t addr, size_t size) {
    capi::Machine *machine = capi::machine_of(vm, "vm_memory_make_anon");
    if (machine == nullptr)
        return -1;
    const auto range = GpaRange::make(Gpa{addr}, size);
    if (!range)
        return capi::fail(*machine, "vm_memory_make_anon", capi::describe_bad_range(addr, size).view());
    return capi::result_of(*machine, "vm_memory_make_anon", machine->reservations().add_anonymous_range(*range));
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
    if (const char *why = why_not_mapped(*machine, reservation, map_iterator != nullptr, "map_iterator is NULL"))
        return capi::fail(*machine, kCall, why);
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
    if (const char *why = why_not_mapped(*machine, reservation, frames != nullptr, "frames is NULL"))
        return capi::fail(*machine, kCall, why);
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
        return capi::fail(*machine, kCall,
                          loader == nullptr ? "loader is NULL" : "iospace is 0, which is no capability");
    if (machine->vm().memory().region_count() > 0 || machine->reservations().any_mapped())
        return capi::fail(*machine, kCall, "guest memory is mapped already");
    const capi::AllocationGuard guard(machine->client_lock());
    const auto added = machine->binding().add_iospace(*loader, iospace);
    if (added)
        return 0;
    return capi::fail(*machine, kCall,
                      added.error().kind == HostErrorKind::not_available ? "the host drives no IOMMU"
                                                                         : "the host refused the domain");
}
