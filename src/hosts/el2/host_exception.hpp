// SPDX-License-Identifier: BSD-2-Clause
//
// An exception that EL2 took from itself: a bug of ours. The vectors (vcpu/) save the registers, the platform prints them.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

/// In the order the vectors store them.
struct HostExceptionFrame {
    u64 x[31];
    u64 sp; ///< when the exception was taken
    u64 elr;
    u64 spsr;
    u64 esr;
    u64 far;
};

} // namespace sel4vm::el2

/// Defined by the platform: prints and stops. `vector` is the table's entry, 0 to 15 (4: synchronous, 7: SError at EL2h).
extern "C" [[noreturn]] void sel4vm_el2_host_exception(const sel4vm::el2::HostExceptionFrame &frame,
                                                       sel4vm::u64 vector);
