// SPDX-License-Identifier: BSD-2-Clause
//
// Leaving the machine: PSCI (DEN 0022) and, for emulators and debuggers, semihosting.
#pragma once

#include <hosts/el2/portable/platform_info.hpp>

#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

/// A PSCI or SMCCC call to the firmware below us; x0 of the answer. -1 (NOT_SUPPORTED) without a conduit.
u64 firmware_call(PsciConduit conduit, u64 function, u64 x1 = 0, u64 x2 = 0, u64 x3 = 0);

[[noreturn]] void system_off(PsciConduit conduit);

/// SYS_EXIT_EXTENDED. Where nobody implements semihosting the instruction is undefined, which ends in a panic.
[[noreturn]] void semihosting_exit(u64 status);

/// Stops this CPU for good.
[[noreturn]] void halt();

} // namespace sel4vm::el2
