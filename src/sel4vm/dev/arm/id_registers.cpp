// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/id_registers.hpp>

#include <sel4vm/vm/vcpu.hpp>

namespace sel4vm::dev {

Status<RegisterError> IdRegisters::register_all(SystemRegisterTable &table) {
    return table.add(aarch64::sysreg_id(3, 0, 0, 1, 0), aarch64::sysreg_id(3, 0, 0, 7, 7), *this);
}

Result<u64, BusFault> IdRegisters::read(Vcpu &vcpu, u32 id) {
    const u64 host = vcpu.port().system_register(id).value_or(0);
    return aarch64::guest_id_register(id, host, gic_, pmu_);
}

Status<BusFault> IdRegisters::write(Vcpu &, u32, u64) { return Err{BusFault::denied}; }

} // namespace sel4vm::dev
