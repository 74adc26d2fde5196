// SPDX-License-Identifier: BSD-2-Clause
//
// Power State Coordination Interface 1.1 (Arm DEN 0022D) over HVC and SMC, 32- and 64-bit calls: every mandatory function,
// SYSTEM_SUSPEND and SYSTEM_RESET2.
// Chosen where the specification lets an implementation choose:
// - CPU_SUSPEND takes the original power_state format, any power level and any state number. A standby ends with an interrupt that the
//   CPU interface lets through, and returns. A powerdown state ends with any enabled interrupt and goes on at its entry point; the
//   timers keep their state. SYSTEM_SUSPEND is that for a system whose other vCPUs are all off, and DENIED otherwise.
// - AFFINITY_INFO knows all four levels. SYSTEM_RESET2 has the warm reset only, which is the same as SYSTEM_RESET: what the
//   machine's reset does to memory is its rule.
// - There is no Trusted OS: MIGRATE and MIGRATE_INFO_UP_CPU are not supported. Neither are CPU_FREEZE, CPU_DEFAULT_SUSPEND,
//   NODE_HW_STATE, SET_SUSPEND_MODE, STAT_* and MEM_PROTECT*, which are optional.
//
// Threads: calls of several vCPUs may run at once; the object itself never changes.
#pragma once

#include <sel4vm/vm/call_tables.hpp>

#include <array>

namespace sel4vm::dev {

class FirmwareCall;

class Psci final : public HypercallHandler {
public:
    [[nodiscard]] Status<RegisterError> register_all(HypercallTable &table);
    /// Answers calls to functions of PSCI's ranges; none for numbers outside of the tables and immediates other than 0.
    [[nodiscard]] Answer call(Vcpu &vcpu, const HypercallExit &exit) override;

private:
    struct Function;
    static const Function *find(u32 id);
    template <Answer (*Serve)(FirmwareCall)>
    static Answer serve(Vcpu &vcpu, u32 function);

    [[nodiscard]] static Answer version(FirmwareCall call);
    [[nodiscard]] static Answer features(FirmwareCall call);
    [[nodiscard]] static Answer cpu_suspend(FirmwareCall call);
    [[nodiscard]] static Answer cpu_off(FirmwareCall call);
    [[nodiscard]] static Answer cpu_on(FirmwareCall call);
    [[nodiscard]] static Answer affinity_info(FirmwareCall call);
    [[nodiscard]] static Answer migrate_info_type(FirmwareCall call);
    [[nodiscard]] static Answer system_suspend(FirmwareCall call);
    [[nodiscard]] static Answer system_off(FirmwareCall call);
    [[nodiscard]] static Answer system_reset(FirmwareCall call);
    [[nodiscard]] static Answer system_reset2(FirmwareCall call);
};

} // namespace sel4vm::dev
