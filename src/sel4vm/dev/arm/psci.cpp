// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/psci.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/arch/aarch64/psci.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/dev/arm/firmware_call.hpp>
#include <sel4vm/vm/vm.hpp>

namespace sel4vm::dev {

namespace psci = aarch64::psci;

/// What is implemented, once: call() and PSCI_FEATURES both go by this table.
struct Psci::Function {
    u32 id;
    Answer (*serve)(const Psci &, FirmwareCall);
    i32 features; ///< what PSCI_FEATURES says
};

/// A plain function of each member: what the table calls costs less than through a pointer to member.
template <Answer (Psci::*Member)(FirmwareCall) const>
Answer Psci::serve(const Psci &psci, FirmwareCall call) {
    return (psci.*Member)(call);
}

const Psci::Function *Psci::find(u32 id) {
    static constexpr std::array kFunctions{
        Function{psci::kVersion, &serve<&Psci::version>, psci::kSuccess},
        Function{psci::kCpuSuspend32, &serve<&Psci::cpu_suspend>,
                 psci::kSuccess}, // original format, platform-coordinated
        Function{psci::kCpuOff, &serve<&Psci::cpu_off>, psci::kSuccess},
        Function{psci::kCpuOn32, &serve<&Psci::cpu_on>, psci::kSuccess},
        Function{psci::kAffinityInfo32, &serve<&Psci::affinity_info>, psci::kSuccess},
        Function{psci::kMigrateInfoType, &serve<&Psci::migrate_info_type>, psci::kSuccess},
        Function{psci::kSystemOff, &serve<&Psci::system_off>, psci::kSuccess},
        Function{psci::kSystemReset, &serve<&Psci::system_reset>, psci::kSuccess},
        Function{psci::kFeatures, &serve<&Psci::features>, psci::kSuccess},
        Function{psci::kSystemSuspend32, &serve<&Psci::system_suspend>, psci::kSuccess},
        Function{psci::kSystemReset2_32, &serve<&Psci::system_reset2>, psci::kSuccess},
        Function{psci::kCpuSuspend64, &serve<&Psci::cpu_suspend>, psci::kSuccess},
        Function{psci::kCpuOn64, &serve<&Psci::cpu_on>, psci::kSuccess},
        Function{psci::kAffinityInfo64, &serve<&Psci::affinity_info>, psci::kSuccess},
        Function{psci::kSystemSuspend64, &serve<&Psci::system_suspend>, psci::kSuccess},
        Function{psci::kSystemReset2_64, &serve<&Psci::system_reset2>, psci::kSuccess},
    };
    for (const Function &function : kFunctions) {
        if (function.id == id)
            return &function;
    }
    return nullptr;
}

Status<RegisterError> Psci::register_all(HypercallTable &table) {
    SEL4VM_TRY(table.add(psci::kFirst32, psci::kLast32, *this));
    return table.add(psci::kFirst64, psci::kLast64, *this);
}

Answer Psci::call(Vcpu &vcpu, const HypercallExit &exit) {
    if (aarch64::immediate_of(exit) != 0)
        return Answer::none();
    const FirmwareCall call(vcpu, exit);
    const Function *function = find(call.function());
    return function == nullptr ? Answer::none() : function->serve(*this, call);
}

Answer Psci::version(FirmwareCall call) const { return call.finish(psci::kVersion1_1); }

Answer Psci::features(FirmwareCall call) const {
    const u32 asked = call.argument32(1);
    if (asked == aarch64::smccc::kVersion)
        return call.finish(psci::kSuccess);
    const Function *function = find(asked);
    return call.finish(function == nullptr ? psci::kNotSupported : function->features);
}

namespace {

[[nodiscard]] bool is_entry(FirmwareCall call, u64 entry) {
    return is_aligned(entry, 4) && call.vcpu().vm().memory().contains(Gpa{entry}, 4);
}

/// To go on at the entry with the context, which are arguments `n` and the next, and otherwise as a CPU that was started.
Answer power_down(FirmwareCall call, unsigned n) {
    if (!is_entry(call, call.argument(n)))
        return call.finish(psci::kInvalidAddress);
    return call.vcpu().vm().power_down(call.vcpu(), {call.argument(n), call.argument(n + 1)},
                                       aarch64::sysreg::kSctlrEl1, aarch64::SctlrEl1::kEndianness);
}

} // namespace

Answer Psci::cpu_suspend(FirmwareCall call) const {
    const aarch64::PsciPowerState state{call.argument32(1)};
    if ((state.raw() & aarch64::PsciPowerState::kReserved) != 0)
        return call.finish(psci::kInvalidParameters);
    if (state.get<aarch64::PsciPowerState::StateType>() == aarch64::PowerStateType::powerdown)
        return power_down(call, 2);
    return call.finish(psci::kSuccess).then(Next::block);
}

Answer Psci::cpu_off(FirmwareCall call) const { return call.vcpu().vm().power_off(call.vcpu()); }

Answer Psci::cpu_on(FirmwareCall call) const {
    Vm &vm = call.vcpu().vm();
    const auto target = aarch64::vcpu_of_affinity(call.argument(1), vm.vcpu_count());
    if (!target)
        return call.finish(psci::kInvalidParameters);
    const u64 entry = call.argument(2);
    if (!is_entry(call, entry))
        return call.finish(psci::kInvalidAddress);
    // Initial core state: endianness is the caller's, at EL1 and EL0.
    const Vm::Inherited endianness{call.vcpu(), aarch64::sysreg::kSctlrEl1, aarch64::SctlrEl1::kEndianness};
    switch (vm.power_on(vm.vcpu(VcpuId{static_cast<u16>(*target)}), {entry, call.argument(3)}, endianness)) {
    case Vm::PowerOn::done: return call.finish(psci::kSuccess);
    case Vm::PowerOn::already_on: return call.finish(psci::kAlreadyOn);
    case Vm::PowerOn::on_pending: return call.finish(psci::kOnPending);
    case Vm::PowerOn::wrong_state: break; // the VM is about to pause, reset or stop
    }
    return call.finish(psci::kInternalFailure);
}

Answer Psci::affinity_info(FirmwareCall call) const {
    Vm &vm = call.vcpu().vm();
    const u64 target = call.argument(1);
    const u64 level = call.argument(2);
    if (level > 3 || (target & ~aarch64::kMpidrAffinityMask) != 0)
        return call.finish(psci::kInvalidParameters);
    const u64 mask = aarch64::affinity_mask_from_level(static_cast<unsigned>(level));
    bool found = false;
    bool pending = false;
    for (u16 n = 0; n < vm.vcpu_count(); ++n) {
        if (((aarch64::affinity_of_vcpu(n) ^ target) & mask) != 0)
            continue;
        found = true;
        switch (vm.vcpu(VcpuId{n}).power_state()) {
        case PowerState::on:
        case PowerState::off_pending: return call.finish(psci::kAffinityOn); // one that is on makes its cluster on
        case PowerState::on_pending: pending = true; break;
        case PowerState::off: break;
        }
    }
    if (!found)
        return call.finish(psci::kInvalidParameters);
    return call.finish(pending ? psci::kAffinityOnPending : psci::kAffinityOff);
}

Answer Psci::migrate_info_type(FirmwareCall call) const { return call.finish(psci::kMigrateNotPresent); }

Answer Psci::system_suspend(FirmwareCall call) const {
    Vm &vm = call.vcpu().vm();
    for (u16 n = 0; n < vm.vcpu_count(); ++n) {
        const Vcpu &other = vm.vcpu(VcpuId{n});
        if (&other != &call.vcpu() && other.power_state() != PowerState::off)
            return call.finish(psci::kDenied);
    }
    return power_down(call, 1);
}

// The core holds every vCPU of a VM that stops or resets before it runs another instruction, so these do not return.
Answer Psci::system_off(FirmwareCall call) const {
    call.vcpu().vm().stop(StopReason::powered_off);
    return Answer::complete();
}

Answer Psci::system_reset(FirmwareCall call) const {
    call.vcpu().vm().guest_requested_reset();
    return Answer::complete();
}

Answer Psci::system_reset2(FirmwareCall call) const {
    if (call.argument32(1) != psci::kResetWarm)
        return call.finish(psci::kInvalidParameters);
    return system_reset(call);
}

} // namespace sel4vm::dev
