// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/smccc.hpp>

#include <sel4vm/dev/arm/firmware_call.hpp>
#include <sel4vm/dev/arm/pv_time.hpp>

namespace sel4vm::dev {

namespace smccc = aarch64::smccc;

i64 Smccc::feature(u32 function) const {
    const bool there = function == smccc::kVersion || function == smccc::kArchFeatures ||
                       (function == aarch64::pv_time::kFeatures && pv_time_.available());
    return there ? smccc::kSuccess : smccc::kNotSupported;
}

Status<RegisterError> Smccc::register_all(HypercallTable &table) {
    return table.add(aarch64::smccc_first32(aarch64::SmcccOwner::arch),
                     aarch64::smccc_last32(aarch64::SmcccOwner::arch), *this);
}

Answer Smccc::call(Vcpu &vcpu, const HypercallExit &exit) {
    if (aarch64::immediate_of(exit) != 0)
        return Answer::none();
    const FirmwareCall call(vcpu, exit.function);
    switch (call.function()) {
    case smccc::kVersion: return call.finish(smccc::kVersion1_2);
    case smccc::kArchFeatures: return call.finish(feature(call.argument32(1)));
    default: return Answer::none();
    }
}

} // namespace sel4vm::dev
