// SPDX-License-Identifier: BSD-2-Clause
//
// The self-hosted debug registers where a host traps them (MDCR_EL2.TDA, TDOSA, TDRA), Arm ARM DDI 0487 chapters D2 and H:
// - the OS lock and OS double lock, MDSCR_EL1 and the claim tags are kept for each vCPU. MDSCR_EL1, breakpoints and watchpoints are
//   offered to the host first (VcpuPort::set_system_register): where it can hold them they work;
// - where it cannot, breakpoints and watchpoints read as zero and ignore writes, so that a debugger that reads back sees that
//   there are none, and MDSCR_EL1 is only stored: single-stepping inside the guest does not stop;
// - there is no external debugger: the debug communication channel, OSDTR*, OSECCR, DBGPRCR, MDRAR and DBGAUTHSTATUS are RAZ/WI.
// Trace registers (op1 1) and the PMU are not here on purpose: the ID registers say that there are none, so they are undefined.
//
// Threads: a vCPU's registers on its executor.
#pragma once

#include <sel4vm/vm/call_tables.hpp>
#include <sel4vm/vm/vm.hpp>

#include <array>

namespace sel4vm::dev {

class DebugRegisters final : public SystemRegisterHandler {
public:
    /// What a guest can see of one vCPU.
    struct State {
        u32 monitor_control = 0; ///< MDSCR_EL1, where the host does not hold it
        u8 os_lock = 1;          ///< OSLSR_EL1.OSLK: locked after reset
        u8 os_double_lock = 0;   ///< OSDLR_EL1.DLK
        u8 claim_tags = 0;       ///< DBGCLAIM*_EL1
        u8 reserved = 0;
        friend bool operator==(const State &, const State &) = default;
    };

    [[nodiscard]] Status<RegisterError> register_all(SystemRegisterTable &table);

    [[nodiscard]] const char *name() const override { return "debug registers"; }
    [[nodiscard]] Result<u64, BusFault> read(Vcpu &vcpu, u32 id) override;
    [[nodiscard]] Status<BusFault> write(Vcpu &vcpu, u32 id, u64 value) override;
    void reset_vcpu(Vcpu &vcpu) override;

    [[nodiscard]] const State &state(VcpuId vcpu) const { return states_[vcpu.value()]; }
    /// Any value: bits that do not exist are dropped.
    void restore(VcpuId vcpu, const State &state);

private:
    std::array<State, Vm::kMaxVcpus> states_{};
};

} // namespace sel4vm::dev
