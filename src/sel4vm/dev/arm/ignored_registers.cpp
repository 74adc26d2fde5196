// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/ignored_registers.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>

#include <array>

namespace sel4vm::dev {

namespace sysreg = aarch64::sysreg;
using aarch64::sysreg_id;

namespace {

constexpr std::array kSingle{sysreg::kDcIsw, sysreg::kDcCsw, sysreg::kDcCisw, sysreg::kActlrEl1};
constexpr std::array<u32, 2> kImplementationDefinedCrn{11, 15};

} // namespace

Status<RegisterError> IgnoredRegisters::register_all(SystemRegisterTable &table) {
    for (const u32 id : kSingle)
        SEL4VM_TRY(table.add(id, id, *this));
    for (const u32 crn : kImplementationDefinedCrn) {
        for (u32 op1 = 0; op1 < 8; ++op1)
            SEL4VM_TRY(table.add(sysreg_id(3, op1, crn, 0, 0), sysreg_id(3, op1, crn, 15, 7), *this));
    }
    return Ok{};
}

Result<u64, BusFault> IgnoredRegisters::read(Vcpu &, u32 id) {
    // A cache instruction (op0 1) has no result: reading one is SYSL, which does not exist there.
    if (aarch64::sysreg_op0(id) == 1)
        return Err{BusFault::denied};
    return u64{0};
}

Status<BusFault> IgnoredRegisters::write(Vcpu &, u32, u64) { return Ok{}; }

} // namespace sel4vm::dev
