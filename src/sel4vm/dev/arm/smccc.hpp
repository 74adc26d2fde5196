// SPDX-License-Identifier: BSD-2-Clause
//
// The architecture's own firmware calls (Arm DEN 0028, section 7): SMCCC_VERSION and SMCCC_ARCH_FEATURES. Deliberately none of the
// workarounds for speculation side channels: no host carries them out for its guests, and ARCH_FEATURES says NOT_SUPPORTED, which
// promises nothing. SMCCC_ARCH_SOC_ID is not supported: a guest's SoC is not the host's.
//
// Threads: calls of several vCPUs may run at once; the object never changes.
#pragma once

#include <sel4vm/vm/call_tables.hpp>

namespace sel4vm::dev {

class PvTime;

class Smccc final : public HypercallHandler {
public:
    /// `pv_time` is asked whether it is there.
    explicit Smccc(const PvTime &pv_time) : pv_time_(pv_time) {}
    [[nodiscard]] Status<RegisterError> register_all(HypercallTable &table);
    [[nodiscard]] Answer call(Vcpu &vcpu, const HypercallExit &exit) override;

private:
    /// What SMCCC_ARCH_FEATURES says.
    [[nodiscard]] i64 feature(u32 function) const;
    const PvTime &pv_time_;
};

} // namespace sel4vm::dev
