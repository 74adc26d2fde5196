// SPDX-License-Identifier: BSD-2-Clause
//
// What interrupt hardware asks for, on AArch64: the sources of IrqServiceExit, from a host to the software GIC.
#pragma once

#include <sel4vm/host/exit.hpp>

namespace sel4vm::aarch64 {

enum class IrqService : u32 {
    maintenance, ///< list registers ran down or finished, or another cause that was asked for (ListRegisterPort)
    virtual_timer, ///< the guest's virtual timer fired while its interrupt was unmasked; the host has masked it (TimerPort)
};

[[nodiscard]] constexpr IrqServiceExit irq_service(IrqService what) { return {static_cast<u32>(what)}; }

/// A physical interrupt came for the vCPU that executes (ports/physical_irq_port.hpp). SPIs have numbers of 32 and more, so their INTID is the
/// source.
inline constexpr u32 kFirstPhysicalSource = 32;
[[nodiscard]] constexpr IrqServiceExit physical_irq_service(u32 intid) { return {intid}; }

} // namespace sel4vm::aarch64
