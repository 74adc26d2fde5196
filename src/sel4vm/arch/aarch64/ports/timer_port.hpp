// SPDX-License-Identifier: BSD-2-Clause
//
// The virtual timer of one vCPU as the host forwards it. When it fires unmasked, the host masks the physical interrupt
// and delivers IrqService::virtual_timer once; after the guest's EOI the model calls unmask(), and a condition that still holds
// fires again. (seL4 calls this a VPPI.)
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

/// The guest's EL1 virtual timer, CNTV_CTL_EL0 and CNTV_CVAL_EL0, as read from outside.
struct VirtualTimerState {
    u32 control = 0;       ///< ENABLE bit 0, IMASK bit 1; when read also ISTATUS bit 2, the condition now
    u64 compare_value = 0; ///< in ticks of the virtual counter
};

/// Threads: on the vCPU's executor, as VcpuPort's registers: between an exit of the vCPU and the answer to it, or while it is stopped. Nothing
/// here fails.
class TimerPort {
public:
    /// Lets the timer fire again after IrqService::virtual_timer; nothing changes when it may.
    virtual void unmask() = 0;
    /// The physical interrupt behind the timer, for a list register that is linked to it (hardware_link): the guest's own
    /// end of the interrupt then unmasks the timer, without unmask(). 0: linking is not possible.
    [[nodiscard]] virtual u16 physical_intid() { return 0; }
    [[nodiscard]] virtual VirtualTimerState state() = 0;
    /// ISTATUS is not taken.
    virtual void set_state(const VirtualTimerState &state) = 0;
    /// The virtual counter is the physical one minus this many ticks, modulo 2^64 (CNTVOFF_EL2). Each vCPU has its own: a VM sets the same on all.
    [[nodiscard]] virtual u64 counter_offset() = 0;
    virtual void set_counter_offset(u64 ticks) = 0;

protected:
    ~TimerPort() = default;
};

} // namespace sel4vm::aarch64
