// SPDX-License-Identifier: BSD-2-Clause
//
// The architecture's own firmware calls (Arm DEN 0028, section 7): SMCCC_VERSION, SMCCC_ARCH_FEATURES and the workarounds for
// speculation side channels, as far as the host says how its CPUs are affected. SMCCC_ARCH_SOC_ID is not supported: a guest's
// SoC is not the host's.
//
// Threads: calls of several vCPUs may run at once; the object itself never changes.
#pragma once

#include <sel4vm/vm/call_tables.hpp>

namespace sel4vm::dev {

/// What the host knows of its CPUs and a vulnerability. `unknown` makes a guest assume the worst.
enum class Vulnerability : u8 {
    unknown,      ///< the call is NOT_SUPPORTED
    mitigated,    ///< the CPUs are affected, and the host applies the workaround on every exit to it, so on this call
    not_affected, ///< the call does nothing and need not be made
};

struct HostMitigations {
    Vulnerability branch_target = Vulnerability::unknown; ///< SMCCC_ARCH_WORKAROUND_1, CVE-2017-5715
    Vulnerability store_bypass =
        Vulnerability::unknown; ///< SMCCC_ARCH_WORKAROUND_2, CVE-2018-3639; `mitigated`: always on
    Vulnerability branch_history = Vulnerability::unknown; ///< SMCCC_ARCH_WORKAROUND_3, CVE-2022-23960
};

class Smccc final : public HypercallHandler {
public:
    explicit Smccc(HostMitigations mitigations = {}) : mitigations_(mitigations) {}

    [[nodiscard]] Status<RegisterError> register_all(HypercallTable &table);
    [[nodiscard]] Answer call(Vcpu &vcpu, const HypercallExit &exit) override;

private:
    [[nodiscard]] i64 feature(u32 function) const;
    HostMitigations mitigations_;
};

} // namespace sel4vm::dev
