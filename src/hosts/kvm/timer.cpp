// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/timer.hpp>

#include <sel4vm/base/assert.hpp>

namespace sel4vm::kvm {

namespace sysreg = aarch64::sysreg;

namespace {
constexpr u64 kControl = *abi::system_register(sysreg::kCntvCtlEl0);
constexpr u64 kCompareValue = *abi::system_register(sysreg::kCntvCvalEl0);
constexpr u64 kCounter = *abi::system_register(sysreg::kCntvctEl0);
constexpr u32 kWritable = 3; // ENABLE and IMASK
} // namespace

aarch64::VirtualTimerState Timer::state() {
    const auto control = kernel_.get(kControl);
    const auto compare_value = kernel_.get(kCompareValue);
    SEL4VM_ASSERT(control && compare_value);
    return {static_cast<u32>(*control), *compare_value};
}

void Timer::set_state(const aarch64::VirtualTimerState &state) {
    const bool done =
        kernel_.set(kCompareValue, state.compare_value) && kernel_.set(kControl, state.control & kWritable);
    SEL4VM_ASSERT(done);
}

void Timer::set_counter_offset(u64 ticks) {
    const auto done = kernel_.set(kCounter, clock_.now_ticks() - ticks);
    SEL4VM_ASSERT(done);
    offset_ = ticks;
}

} // namespace sel4vm::kvm
