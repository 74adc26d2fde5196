// SPDX-License-Identifier: BSD-2-Clause
//
// Why a host refused. One vocabulary for every port; `code` is the host's own number (errno, seL4_Error), 0 if none.
#pragma once

#include <sel4vm/base/result.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm {

enum class HostErrorKind : u8 {
    out_of_memory, ///< of objects, frames, page tables or identifiers
    not_available, ///< this host does not have the ability; a normal answer
    invalid,       ///< the arguments are wrong for this host (alignment, overlap, unknown number)
    busy,          ///< the object is in a state that forbids it now
    failed,        ///< the underlying system refused; see `code`
};

struct HostError {
    HostErrorKind kind = HostErrorKind::failed;
    i32 code = 0;
    friend constexpr bool operator==(const HostError &, const HostError &) = default;
};

} // namespace sel4vm
