// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/pmu.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>

namespace sel4vm::dev {

using aarch64::sysreg_id;

bool Pmu::add_vcpu(aarch64::PmuPort &port) {
    const VcpuId id{static_cast<u16>(channels_.size())};
    return channels_.emplace_back(irqs_, id, port) != nullptr;
}

// Everything that the traps of the counters reach.
Status<RegisterError> Pmu::register_all(SystemRegisterTable &table) {
    SEL4VM_TRY(table.add(sysreg_id(3, 0, 9, 14, 1), sysreg_id(3, 0, 9, 14, 7), *this));
    SEL4VM_TRY(table.add(sysreg_id(3, 3, 9, 12, 0), sysreg_id(3, 3, 9, 15, 7), *this));
    return table.add(sysreg_id(3, 3, 14, 8, 0), sysreg_id(3, 3, 14, 15, 7), *this);
}

Result<u64, BusFault> Pmu::read(Vcpu &vcpu, u32 id) {
    const std::optional<u64> value = channels_[vcpu.id().value()].port.read_pmu(id);
    if (!value)
        return Err{BusFault::denied};
    return *value;
}

Status<BusFault> Pmu::write(Vcpu &vcpu, u32 id, u64 value) {
    if (!channels_[vcpu.id().value()].port.write_pmu(id, value))
        return Err{BusFault::denied};
    return Ok{};
}

void Pmu::reset_vcpu(Vcpu &vcpu) { channels_[vcpu.id().value()].pmu_interrupt(aarch64::Wire::low); }

} // namespace sel4vm::dev
