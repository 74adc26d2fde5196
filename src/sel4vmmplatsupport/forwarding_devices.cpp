// SPDX-License-Identifier: BSD-2-Clause
//
// Two devices whose registers are elsewhere: behind functions of the client, or on the machine behind a mask of the bits that a guest
// may write.
#include <sel4vmmplatsupport/arch/ac_device.h>
#include <sel4vmmplatsupport/arch/generic_forward_device.h>

#include <sel4vmmplatsupport/log.hpp>
#include <sel4vmmplatsupport/registers.hpp>

#include <sel4vm/guest_vcpu_fault.h>

namespace sel4vm::platsupport {
namespace {

struct Forwarded {
    uintptr_t base;
    generic_forward_cfg functions;

    [[nodiscard]] u32 read(u32 offset) const { return functions.read_fn == nullptr ? 0 : functions.read_fn(offset); }
    void write(u32 offset, u32 value) const {
        if (functions.write_fn != nullptr)
            functions.write_fn(offset, value);
    }
};

memory_fault_result_t forward(vm_t *, vm_vcpu_t *vcpu, uintptr_t address, size_t bytes, void *cookie) {
    const Forwarded &device = *static_cast<Forwarded *>(cookie);
    if (bytes == 0 || !is_aligned(address, bytes))
        return FAULT_UNHANDLED;
    const auto offset = static_cast<u32>(align_down(address - device.base, 4));
    const bool wide = bytes == 8;
    if (is_vcpu_read_fault(vcpu)) {
        u64 value = device.read(offset);
        if (wide)
            value |= u64{device.read(offset + 4)} << 32;
        set_vcpu_fault_data(vcpu, value);
    } else if (wide) {
        const u64 value = get_vcpu_fault_data(vcpu);
        device.write(offset, static_cast<u32>(value));
        device.write(offset + 4, static_cast<u32>(value >> 32));
    } else {
        const u32 old = bytes == 4 ? 0 : device.read(offset);
        device.write(offset, static_cast<u32>(emulate_vcpu_fault(vcpu, old)));
    }
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

struct Guarded {
    Guarded(const device &d, const void *allowed_bits, u64 bytes, vacdev_action what)
        : description(d), mask(static_cast<const volatile u8 *>(allowed_bits)), mask_bytes(bytes), action(what) {}
    device description;
    const volatile u8 *mask;
    u64 mask_bytes;
    vacdev_action action;
    DeviceRegisters registers;

    /// The bits of an access that may be written.
    [[nodiscard]] u64 allowed(u64 address, u64 bytes) const {
        u64 bits = 0;
        for (u64 i = 0; i < bytes; ++i) {
            const u64 at = address - description.pstart + i;
            if (at < mask_bytes)
                bits |= u64{mask[at]} << (8 * i);
        }
        return bits;
    }
};

memory_fault_result_t guard(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t address, size_t bytes, void *cookie) {
    const Guarded &device = *static_cast<Guarded *>(cookie);
    if (!device.registers.can(address, bytes))
        return FAULT_UNHANDLED;
    if (is_vcpu_read_fault(vcpu)) {
        set_vcpu_fault_data(vcpu, device.registers.read(address, bytes) << lane_shift(address));
        advance_vcpu_fault(vcpu);
        return FAULT_HANDLED;
    }
    const u64 mask = device.allowed(address, bytes);
    u64 value = get_vcpu_fault_data(vcpu);
    if (const u64 every = bytes == 8 ? ~u64{0} : (u64{1} << (8 * bytes)) - 1; (~mask & every) != 0) {
        const u64 now = device.registers.read(address, bytes);
        const u64 denied = (value ^ now) & ~mask & every;
        if (denied != 0 && device.action != VACDEV_MASK_ONLY) {
            Text<160> text;
            text << (device.description.name != nullptr ? device.description.name : "device")
                 << ": the guest may not write the bits " << Hex{denied} << " at " << Hex{address};
            report(vm, LogLevel::warning, text.view());
        }
        if (device.action != VACDEV_REPORT_ONLY)
            value = (value & mask) | (now & ~mask);
        // Of a register with nothing to write, not even what it holds is written back.
        if (mask == 0 && device.action != VACDEV_REPORT_ONLY) {
            advance_vcpu_fault(vcpu);
            return FAULT_HANDLED;
        }
    }
    device.registers.write(address, bytes, value);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

/// Reserves the device's range for the object and gives the object to the VM.
template <class T>
int reserve_for(vm_t &vm, const device &description, memory_fault_callback_fn callback, CObject<T> &object,
                const char *name) {
    vm_memory_reservation_t *reservation =
        vm_reserve_memory_at(&vm, description.pstart, description.size, callback, object.get());
    if (reservation == nullptr)
        return refuse(&vm, name, ": the range at ", Hex{description.pstart}, " is taken or impossible");
    if (keep(vm, object))
        return 0;
    static_cast<void>(vm_free_reserved_memory(&vm, reservation));
    return refuse(&vm, name, ": no memory");
}

} // namespace
} // namespace sel4vm::platsupport

using namespace sel4vm::platsupport;

extern "C" int vm_install_generic_forward_device(vm_t *vm, const struct device *d, struct generic_forward_cfg cfg) {
    constexpr const char *kName = "vm_install_generic_forward_device";
    if (vm == nullptr || d == nullptr || (cfg.read_fn == nullptr && cfg.write_fn == nullptr))
        return refuse(vm, kName, ": an argument is missing");
    if (!sel4vm::is_aligned(d->pstart, 8) || !sel4vm::is_aligned(d->size, 8) || d->size > ~sel4vm::u32{0})
        return refuse(vm, kName, ": address and size must be multiples of 8, the size below 4 GiB");
    auto device = CObject<Forwarded>::make(Forwarded{d->pstart, cfg});
    if (!device)
        return refuse(vm, kName, ": no memory");
    return reserve_for(*vm, *d, forward, device, kName);
}

extern "C" int vm_install_generic_ac_device(vm_t *vm, const struct device *d, void *mask, size_t size,
                                            enum vacdev_action action) {
    constexpr const char *kName = "vm_install_generic_ac_device";
    if (vm == nullptr || d == nullptr || (mask == nullptr && size != 0))
        return refuse(vm, kName, ": an argument is missing");
    if (action != VACDEV_REPORT_ONLY && action != VACDEV_MASK_ONLY && action != VACDEV_REPORT_AND_MASK)
        return refuse(vm, kName, ": there is no action ", static_cast<sel4vm::u32>(action));
    auto device = CObject<Guarded>::make(*d, mask, size, action);
    if (!device)
        return refuse(vm, kName, ": no memory");
    if (!device->registers.open(*vm, d->pstart, d->size))
        return refuse(vm, kName, ": there is no device at ", sel4vm::Hex{d->pstart}, " that the VMM could see");
    return reserve_for(*vm, *d, guard, device, kName);
}
