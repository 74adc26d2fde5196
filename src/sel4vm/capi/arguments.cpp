// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/capi/arguments.hpp>

namespace sel4vm::capi {

[[gnu::cold]] Text<160> describe_bad_range(u64 addr, u64 size) {
    Text<160> why;
    if (size == 0)
        why << "the size is 0";
    else
        why << Hex{size} << " bytes from " << Hex{addr} << " on go beyond the last address";
    return why;
}

} // namespace sel4vm::capi
