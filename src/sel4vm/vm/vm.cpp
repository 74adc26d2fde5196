// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/vm.hpp>

namespace sel4vm {

Vm::Vm(const VmConfig &config, GuestSpacePort &space, Allocator &allocator, Log &log)
    : map_(allocator, config.locks), allocator_(allocator), config_(config), log_(log),
      memory_(space, allocator, config.locks), vcpus_(allocator), lifecycle_lock_(LockRank::lifecycle, config.locks),
      executors_(config.locks), stop_lock_(LockRank::stop, config.locks) {}

Result<Vcpu *, VcpuError> Vm::add_vcpu(VcpuPort &port) {
    if (state() != VmState::built)
        return Err{VcpuError::wrong_state};
    const VcpuId id{static_cast<u16>(vcpus_.size())};
    Vcpu *vcpu = vcpus_.emplace_back(*this, id, port);
    if (vcpu == nullptr)
        return Err{vcpus_.full() ? VcpuError::too_many : VcpuError::out_of_memory};
    return vcpu;
}

Status<RegionError> Vm::add_memory(GpaRange range, RegionKind kind, Clearing clearing) {
    if (map_.overlaps(range))
        return Err{RegionError::overlap};
    return memory_.add(range, kind, clearing);
}

Status<RegionError> Vm::add_rom_device(GpaRange range, MmioDevice &device) {
    SEL4VM_TRY(add_memory(range, RegionKind::rom_device));
    if (const auto attached = map_.attach(range, device); !attached) {
        static_cast<void>(memory_.remove(range.base()));
        return Err{attached.error() == AttachError::out_of_memory ? RegionError::out_of_memory : RegionError::too_many};
    }
    return Ok{};
}

Status<RegionError> Vm::adopt_memory(GpaRange range, const RamBlock &block, RegionKind kind) {
    if (map_.overlaps(range))
        return Err{RegionError::overlap};
    return memory_.adopt(range, block, kind);
}

} // namespace sel4vm
