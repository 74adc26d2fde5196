// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/debug_registers.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>

namespace sel4vm::dev {

namespace sysreg = aarch64::sysreg;
using aarch64::sysreg_id;

namespace {

constexpr u64 kOsLockImplemented = 1U << 3; ///< OSLSR_EL1.OSLM = 0b10
constexpr unsigned kOsLockShift = 1;        ///< OSLSR_EL1.OSLK
constexpr u32 kMonitorControlMask = 0xffff'ffff;

/// DBGBVRn, DBGBCRn, DBGWVRn, DBGWCRn: op1 0, CRn 0, op2 4 to 7.
constexpr bool is_break_or_watch(u32 id) {
    return aarch64::sysreg_op1(id) == 0 && aarch64::sysreg_crn(id) == 0 && aarch64::sysreg_op2(id) >= 4;
}

} // namespace

Status<RegisterError> DebugRegisters::register_all(SystemRegisterTable &table) {
    SEL4VM_TRY(table.add(sysreg_id(2, 0, 0, 0, 0), sysreg_id(2, 0, 7, 15, 7), *this));
    return table.add(sysreg::kMdccsrEl0, sysreg::kDbgdtrrxEl0, *this);
}

void DebugRegisters::restore(VcpuId vcpu, const State &state) {
    State &own = states_[vcpu.value()];
    own = State{};
    own.monitor_control = state.monitor_control;
    own.os_lock = state.os_lock & 1;
    own.os_double_lock = state.os_double_lock & 1;
    own.claim_tags = state.claim_tags;
}

void DebugRegisters::reset_vcpu(Vcpu &vcpu) { states_[vcpu.id().value()] = State{}; }

Result<u64, BusFault> DebugRegisters::read(Vcpu &vcpu, u32 id) {
    const State &state = states_[vcpu.id().value()];
    if (is_break_or_watch(id))
        return vcpu.port().system_register(id).value_or(0);
    switch (id) {
    case sysreg::kMdscrEl1: return vcpu.port().system_register(id).value_or(state.monitor_control);
    case sysreg::kOslsrEl1: return kOsLockImplemented | u64{state.os_lock} << kOsLockShift;
    case sysreg::kOsdlrEl1: return u64{state.os_double_lock};
    case sysreg::kDbgclaimsetEl1: return u64{0xff}; // the tags that exist
    case sysreg::kDbgclaimclrEl1: return u64{state.claim_tags};
    case sysreg::kOslarEl1: return Err{BusFault::denied}; // write-only
    case sysreg::kMdccintEl1:
    case sysreg::kMdccsrEl0:
    case sysreg::kDbgdtrEl0:
    case sysreg::kDbgdtrrxEl0:
    case sysreg::kOsdtrrxEl1:
    case sysreg::kOsdtrtxEl1:
    case sysreg::kOseccrEl1:
    case sysreg::kMdrarEl1:
    case sysreg::kDbgprcrEl1:
    case sysreg::kDbgauthstatusEl1: return u64{0};
    default: return Err{BusFault::unmapped};
    }
}

Status<BusFault> DebugRegisters::write(Vcpu &vcpu, u32 id, u64 value) {
    State &state = states_[vcpu.id().value()];
    if (is_break_or_watch(id)) {
        // Where the host cannot hold it, there is no such breakpoint; see the header.
        static_cast<void>(vcpu.port().set_system_register(id, value));
        return Ok{};
    }
    switch (id) {
    case sysreg::kMdscrEl1:
        if (!vcpu.port().set_system_register(id, value))
            state.monitor_control = static_cast<u32>(value) & kMonitorControlMask;
        return Ok{};
    case sysreg::kOslarEl1: state.os_lock = value & 1; return Ok{};
    case sysreg::kOsdlrEl1: state.os_double_lock = value & 1; return Ok{};
    case sysreg::kDbgclaimsetEl1: state.claim_tags = static_cast<u8>(state.claim_tags | value); return Ok{};
    case sysreg::kDbgclaimclrEl1: state.claim_tags = static_cast<u8>(state.claim_tags & ~value); return Ok{};
    case sysreg::kMdccintEl1:
    case sysreg::kDbgdtrEl0:
    case sysreg::kDbgdtrrxEl0:
    case sysreg::kOsdtrrxEl1:
    case sysreg::kOsdtrtxEl1:
    case sysreg::kOseccrEl1:
    case sysreg::kDbgprcrEl1: return Ok{};
    default: return Err{BusFault::denied}; // read-only, or not there
    }
}

} // namespace sel4vm::dev
