// SPDX-License-Identifier: BSD-2-Clause
//
// A guest's virtual timer whose condition the test sets; counts how often the model unmasked it.
#pragma once

#include <sel4vm/arch/aarch64/ports/timer_port.hpp>

namespace sel4vm::fake {

class VirtualTimer final : public aarch64::TimerPort {
public:
    void unmask() override {
        masked = false;
        ++unmasks;
    }
    [[nodiscard]] u16 physical_intid() override { return physical; }
    [[nodiscard]] aarch64::VirtualTimerState state() override { return state_; }
    void set_state(const aarch64::VirtualTimerState &state) override { state_ = state; }
    [[nodiscard]] u64 counter_offset() override { return offset_; }
    void set_counter_offset(u64 ticks) override { offset_ = ticks; }

    /// The comparison is met and the guest wants the interrupt.
    void meet_condition() { state_.control = 5; }
    void clear_condition() { state_.control = 1; }
    /// True when the hardware would interrupt now; the host then masks it and reports.
    [[nodiscard]] bool fires() {
        if (masked || state_.control != 5)
            return false;
        masked = true;
        return true;
    }

    bool masked = false;
    unsigned unmasks = 0;
    u16 physical = 0; ///< the interrupt that may be linked

private:
    aarch64::VirtualTimerState state_;
    u64 offset_ = 0;
};

} // namespace sel4vm::fake
