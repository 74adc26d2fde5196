// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/psci.hpp>

#include <sel4vm/arch/aarch64/psci.hpp>
#include <sel4vm/dev/arm/firmware_call.hpp>
#include <sel4vm/vm/vm.hpp>

namespace sel4vm::dev {

namespace psci = aarch64::psci;

/// What is implemented, once: call() and PSCI_FEATURES both go by this table.
struct Psci::Function {
    u32 id;
    Answer (*serve)(Vcpu &, u32 function);
    i32 features; ///< what PSCI_FEATURES says
};

/// With the parts of a FirmwareCall, which travel in registers.
template <Answer (*Serve)(FirmwareCall)>
Answer Psci::serve(Vcpu &vcpu, u32 function) {
    return Serve(FirmwareCall(vcpu, function));
}

const Psci::Function *Psci::find(u32 id) {
    static constexpr std::array kFunctions{
        Function{psci::kVersion, &serve<Psci::version>, psci::kSuccess},
        Function{psci::kCpuSuspend32, &serve<Psci::cpu_suspend>,
                 psci::kSuccess}, // original format, platform-coordinated
        Function{psci::kCpuOff, &serve<Psci::cpu_off>, psci::kSuccess},
        Function{psci::kCpuOn32, &serve<Psci::cpu_on>, psci::kSuccess},
        Function{psci::kAffinityInfo32, &serve<Psci::affinity_info>, psci::kSuccess},
        Function{psci::kMigrateInfoType, &serve<Psci::migrate_info_type>, psci::kSuccess},
        Function{psci::kSystemOff, &serve<Psci::system_off>, psci::kSuccess},
        Function{psci::kSystemReset, &serve<Psci::system_reset>, psci::kSuccess},
        Function{psci::kFeatures, &serve<Psci::features>, psci::kSuccess},
        Function{psci::kSystemSuspend32, &serve<Psci::system_suspend>, psci::kSuccess},
        Function{psci::kSystemReset2_32, &serve<Psci::system_reset2>, psci::kSuccess},
        Function{psci::kCpuSuspend64, &serve<Psci::cpu_suspend>, psci::kSuccess},
        Function{psci::kCpuOn64, &serve<Psci::cpu_on>, psci::kSuccess},
        Function{psci::kAffinityInfo64, &serve<Psci::affinity_info>, psci::kSuccess},
        Function{psci::kSystemSuspend64, &serve<Psci::system_suspend>, psci::kSuccess},
        Function{psci::kSystemReset2_64, &serve<Psci::system_reset2>, psci::kSuccess},
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
    const Function *function = find(exit.function);
    return function == nullptr ? Answer::none() : function->serve(vcpu, exit.function);
}

Answer Psci::version(FirmwareCall call) { return call.finish(psci::kVersion1_1); }

Answer Psci::features(FirmwareCall call) {
    const u32 asked = call.argument32(1);
    if (asked == aarch64::smccc::kVersion)
        return call.finish(psci::kSuccess);
    const Function *function = find(asked);
    return call.finish(function == nullptr ? psci::kNotSupported : function->features);
}

Answer Psci::migrate_info_type(FirmwareCall call) { return call.finish(psci::kMigrateNotPresent); }

// The core holds every vCPU of a VM that stops or resets before it runs another instruction, so these do not return.
Answer Psci::system_off(FirmwareCall call) {
    call.vcpu().vm().stop(StopReason::powered_off);
    return Answer::complete();
}

Answer Psci::system_reset(FirmwareCall call) {
    call.vcpu().vm().guest_requested_reset();
    return Answer::complete();
}

Answer Psci::system_reset2(FirmwareCall call) {
    if (call.argument32(1) != psci::kResetWarm)
        return call.finish(psci::kInvalidParameters);
    return system_reset(call);
}

} // namespace sel4vm::dev
