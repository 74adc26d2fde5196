// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/pv_time.hpp>

#include <sel4vm/dev/arm/firmware_call.hpp>

namespace sel4vm::dev {

namespace pv_time = aarch64::pv_time;

Status<RegisterError> PvTime::register_all(HypercallTable &table) {
    return table.add(pv_time::kFeatures, pv_time::kStolenTime, *this);
}

Answer PvTime::call(Vcpu &vcpu, const HypercallExit &exit) {
    if (aarch64::immediate_of(exit) != 0 || !place_)
        return Answer::none();
    const FirmwareCall call(vcpu, exit.function);
    if (call.function() == pv_time::kStolenTime)
        return call.finish(static_cast<i64>(place_->value() + vcpu.id().value() * kStructureBytes));
    const u32 asked = call.argument32(1);
    const bool there = asked == pv_time::kFeatures || asked == pv_time::kStolenTime;
    return call.finish(there ? aarch64::smccc::kSuccess : aarch64::smccc::kNotSupported);
}

} // namespace sel4vm::dev
