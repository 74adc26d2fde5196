// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/vm.hpp>

namespace sel4vm {

Vm::Vm(const VmConfig &config, GuestSpacePort &space, Allocator &allocator, Log &log)
    : map_(config.locks), config_(config), log_(log), memory_(space, allocator, config.locks),
      lifecycle_lock_(LockRank::lifecycle, config.locks), executors_(config.locks),
      stop_lock_(LockRank::stop, config.locks) {}

Result<Vcpu *, VcpuError> Vm::add_vcpu(VcpuPort &port) {
    if (state() != VmState::built)
        return Err{VcpuError::wrong_state};
    const VcpuId id{static_cast<u16>(vcpus_.size())};
    Vcpu *vcpu = vcpus_.emplace_back(*this, id, port);
    if (vcpu == nullptr)
        return Err{VcpuError::too_many};
    return vcpu;
}

Status<RegionError> Vm::add_memory(GpaRange range, RegionKind kind, Clearing clearing) {
    if (map_.overlaps(range))
        return Err{RegionError::overlap};
    return memory_.add(range, kind, clearing);
}

Status<AttachError> Vm::attach(GpaRange range, MmioDevice &device) {
    if (memory_.overlaps(range))
        return Err{AttachError::overlap};
    return map_.attach(range, device);
}

Status<AttachError> Vm::reserve(GpaRange range, ReservationHandler &handler) {
    if (memory_.overlaps(range))
        return Err{AttachError::overlap};
    return map_.reserve(range, handler);
}

} // namespace sel4vm
