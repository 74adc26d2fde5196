// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vmmplatsupport/device_utils.h>

#include <sel4vmmplatsupport/guest_memory_util.h>
#include <sel4vmmplatsupport/log.hpp>
#include <sel4vmmplatsupport/registers.hpp>

#include <sel4vm/guest_vcpu_fault.h>

namespace sel4vm::platsupport {
namespace {

/// What is mapped does not fault; what faults nevertheless (an access the mapping does not allow) is the guest's mistake.
memory_fault_result_t not_ours(vm_t *, vm_vcpu_t *, uintptr_t, size_t, void *) { return FAULT_UNHANDLED; }

using MapPages = int (*)(vm_t *, vm_memory_reservation_t *);

int install_mapped(vm_t *vm, const device *device, MapPages map, const char *name) {
    if (vm == nullptr || device == nullptr)
        return refuse(vm, name, ": an argument is missing");
    vm_memory_reservation_t *reservation = vm_reserve_memory_at(vm, device->pstart, device->size, not_ours, nullptr);
    if (reservation == nullptr)
        return refuse(vm, name, ": the range at ", Hex{device->pstart}, " is taken or impossible");
    if (map(vm, reservation) == 0)
        return 0;
    static_cast<void>(vm_free_reserved_memory(vm, reservation));
    return -1;
}

struct Listener {
    explicit Listener(const device &d) : description(d) {}
    device description;
    DeviceRegisters registers;
};

memory_fault_result_t listen(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t address, size_t bytes, void *cookie) {
    const Listener &listener = *static_cast<Listener *>(cookie);
    if (!listener.registers.can(address, bytes))
        return FAULT_UNHANDLED;
    const bool read = is_vcpu_read_fault(vcpu);
    const u64 value = read ? listener.registers.read(address, bytes) : get_vcpu_fault_data(vcpu);
    if (read)
        set_vcpu_fault_data(vcpu, value << lane_shift(address));
    else
        listener.registers.write(address, bytes, value);
    Text<160> text;
    text << (listener.description.name != nullptr ? listener.description.name : "device") << ": "
         << (read ? "read " : "write ") << Hex{value} << " at " << Hex{address} << ", " << u64{bytes}
         << " bytes, from the instruction at " << Hex{get_vcpu_fault_ip(vcpu)};
    report(vm, LogLevel::info, text.view());
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

} // namespace
} // namespace sel4vm::platsupport

using namespace sel4vm::platsupport;

extern "C" int vm_install_passthrough_device(vm_t *vm, const struct device *device) {
    return install_mapped(vm, device, map_ut_alloc_reservation, "vm_install_passthrough_device");
}

extern "C" int vm_install_ram_only_device(vm_t *vm, const struct device *device) {
    return install_mapped(vm, device, map_frame_alloc_reservation, "vm_install_ram_only_device");
}

extern "C" int vm_install_listening_device(vm_t *vm, const struct device *device) {
    constexpr const char *kName = "vm_install_listening_device";
    if (vm == nullptr || device == nullptr)
        return refuse(vm, kName, ": an argument is missing");
    auto listener = CObject<Listener>::make(*device);
    if (!listener)
        return refuse(vm, kName, ": no memory");
    if (!listener->registers.open(*vm, device->pstart, device->size))
        return refuse(vm, kName, ": there is no device at ", sel4vm::Hex{device->pstart}, " that the VMM could see");
    vm_memory_reservation_t *reservation =
        vm_reserve_memory_at(vm, device->pstart, device->size, listen, listener.get());
    if (reservation == nullptr)
        return refuse(vm, kName, ": the range is taken");
    if (keep(*vm, listener))
        return 0;
    static_cast<void>(vm_free_reserved_memory(vm, reservation));
    return refuse(vm, kName, ": no memory");
}
