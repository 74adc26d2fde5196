// SPDX-License-Identifier: BSD-2-Clause
//
// Accesses to a device that may answer with an error (forwarded_access.S). Only on a CPU that has a Processor, whose vectors find the error, and with
// exceptions masked, as they are between a guest's exit and its next entry.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

/// Two registers, as the procedure call standard returns it.
struct ForwardedRead {
    u64 value;
    u64 failed; ///< 0: the device has answered
};

} // namespace sel4vm::el2

extern "C" {
/// `at`: mapped as a device's, a multiple of `bytes`, which is 1, 2, 4 or 8.
sel4vm::el2::ForwardedRead sel4vm_el2_forwarded_read(sel4vm::u64 at, sel4vm::u64 bytes);
/// The value of the result means nothing.
sel4vm::el2::ForwardedRead sel4vm_el2_forwarded_write(sel4vm::u64 at, sel4vm::u64 bytes, sel4vm::u64 value);
}
