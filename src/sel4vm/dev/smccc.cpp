// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/smccc.hpp>

#include <sel4vm/dev/firmware_call.hpp>

namespace sel4vm::dev {

namespace smccc = aarch64::smccc;

Status<RegisterError> Smccc::register_all(HypercallTable &table) {
    return table.add(aarch64::smccc_first32(aarch64::SmcccOwner::arch),
                     aarch64::smccc_last32(aarch64::SmcccOwner::arch), *this);
}

/// What SMCCC_ARCH_FEATURES says. For workarounds 1 and 3, 1 means that this CPU does not need the call.
i64 Smccc::feature(u32 function) const {
    const auto workaround = [](Vulnerability state) -> i64 {
        switch (state) {
        case Vulnerability::mitigated: return smccc::kSuccess;
        case Vulnerability::not_affected: return 1;
        case Vulnerability::unknown: break;
        }
        return smccc::kNotSupported;
    };
    switch (function) {
    case smccc::kVersion:
    case smccc::kArchFeatures: return smccc::kSuccess;
    case smccc::kArchWorkaround1: return workaround(mitigations_.branch_target);
    case smccc::kArchWorkaround3: return workaround(mitigations_.branch_history);
    case smccc::kArchWorkaround2:
        // The call would switch the mitigation per thread. It is either not needed or permanently on here: both are -2.
        return mitigations_.store_bypass == Vulnerability::unknown ? smccc::kNotSupported : smccc::kNotRequired;
    default: return smccc::kNotSupported;
    }
}

Answer Smccc::call(Vcpu &vcpu, const HypercallExit &exit) {
    if (exit.immediate != 0)
        return Answer::none();
    const FirmwareCall call(vcpu, exit);
    switch (call.function()) {
    case smccc::kVersion: return call.finish(smccc::kVersion1_2);
    case smccc::kArchFeatures: return call.finish(feature(call.argument32(1)));
    case smccc::kArchWorkaround1:
    case smccc::kArchWorkaround3:
        // No result: coming here was the workaround.
        return feature(call.function()) == smccc::kNotSupported ? Answer::none() : Answer::complete();
    default: return Answer::none();
    }
}

} // namespace sel4vm::dev
