// SPDX-License-Identifier: BSD-2-Clause
//
// Changing what is on the buses of a VM while its vCPUs run. No exit takes a lock for that: a vCPU may use what was taken away until the end
// of the exit at which it hears of it, and those that run are made to have one. When all have left, the places are free again.
#include <sel4vm/vm/vm.hpp>

namespace sel4vm {

Status<AttachError> Vm::attach(GpaRange range, MmioDevice &device) {
    if (memory_.overlaps(range))
        return Err{AttachError::overlap};
    static_cast<void>(detached_are_unused());
    return map_.attach(range, device);
}

Status<AttachError> Vm::reserve(GpaRange range, ReservationHandler &handler) {
    if (memory_.overlaps(range))
        return Err{AttachError::overlap};
    static_cast<void>(detached_are_unused());
    return map_.reserve(range, handler);
}

Status<AttachError> Vm::move(Gpa base, GpaRange to) {
    if (memory_.overlaps(to))
        return Err{AttachError::overlap};
    static_cast<void>(detached_are_unused());
    if (const auto moved = map_.move(base, to); !moved)
        return moved;
    make_vcpus_leave();
    return Ok{};
}

bool Vm::detach(Gpa base) {
    if (!map_.remove(base))
        return false;
    make_vcpus_leave();
    return true;
}

Status<AttachError> Vm::attach_ports(u16 first, u32 count, MmioDevice &device) {
    if (state() != VmState::built)
        return Err{AttachError::wrong_state};
    constexpr u64 kPortCount = 0x1'0000;
    const auto range = GpaRange::make(Gpa{first}, count);
    if (!range || range->end().value() > kPortCount)
        return Err{AttachError::overlap};
    if (!ports_)
        ports_ = Owned<AddressMap>::make(allocator_, allocator_, config_.locks);
    if (!ports_)
        return Err{AttachError::out_of_memory};
    return ports_->attach(*range, device);
}

void Vm::make_vcpus_leave() {
    for (Vcpu &vcpu : vcpus_) {
        if (leave_at_once(vcpu))
            continue;
        static_cast<void>(vcpu.errands_.fetch_or(Vcpu::kLeaveMap, std::memory_order_release));
        if (vcpu.request_sync() && !vcpu.is_parked())
            vcpu.port().kick();
    }
}

/// When nobody else can be inside an exit of it: the only executor, outside of one.
bool Vm::leave_at_once(Vcpu &vcpu) {
    if (config_.locks == LockMode::spin || vcpu.in_exit_.load(std::memory_order_relaxed))
        return false;
    leave_map(vcpu);
    return true;
}

void Vm::leave_map(Vcpu &vcpu) {
    static_cast<void>(vcpu.errands_.fetch_and(u8{0xff} ^ Vcpu::kLeaveMap, std::memory_order_relaxed));
    vcpu.last_slot_ = nullptr;
    vcpu.map_left_.store(map_.removals(), std::memory_order_release);
}

void Vm::enter_map(Vcpu &vcpu) {
    vcpu.last_slot_ = nullptr;
    vcpu.parked_.store(false, std::memory_order_release);
    // Either whoever changes the map sees that this vCPU runs, or this vCPU sees the change.
    map_.synchronize();
}

bool Vm::detached_are_unused() {
    u64 left = map_.removals();
    map_.synchronize(); // orders the change before the look at who is parked
    for (const Vcpu &vcpu : vcpus_) {
        const u64 its = vcpu.map_left_.load(std::memory_order_acquire);
        if (!vcpu.is_parked() && its < left)
            left = its;
    }
    return map_.recycle(left);
}

} // namespace sel4vm
