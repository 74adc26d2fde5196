// SPDX-License-Identifier: BSD-2-Clause
//
// The one place that includes the headers of seL4 and of the seL4 libraries, which are C. Everything else of this host
// includes this file; in CI the headers are the test double's (tests/sel4_host/double/names).
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/host/host_error.hpp>

extern "C" {
#include <sel4/sel4.h>
#include <simple/simple.h>
#include <vka/capops.h>
#include <vka/object.h>
#include <vka/vka.h>
#include <vspace/vspace.h>
}

namespace sel4vm::sel4 {

/// What a kernel call or a seL4 library refused, in the words of the ports.
[[nodiscard]] inline HostError host_error(int error) {
    switch (error) {
    case seL4_NotEnoughMemory: return {HostErrorKind::out_of_memory, error};
    case seL4_DeleteFirst: return {HostErrorKind::busy, error};
    case seL4_AlignmentError:
    case seL4_RangeError:
    case seL4_InvalidArgument: return {HostErrorKind::invalid, error};
    default: return {HostErrorKind::failed, error};
    }
}

/// The C libraries return 0 or anything else; what was lacking was memory, slots or identifiers.
[[nodiscard]] inline HostError out_of_memory(int error = 0) { return {HostErrorKind::out_of_memory, error}; }

} // namespace sel4vm::sel4
