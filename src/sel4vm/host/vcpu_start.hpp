// SPDX-License-Identifier: BSD-2-Clause
//
// Where a vCPU begins. Two words on purpose, whatever the architecture (docs/adr/0011-start-state.md): all that whoever starts one has to
// say. What else a vCPU is like after its reset is the architecture's, and its host's business.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm {

struct VcpuStart {
    u64 entry = 0;    ///< AArch64: guest-physical address of the first instruction
    u64 argument = 0; ///< AArch64: x0
    friend constexpr bool operator==(const VcpuStart &, const VcpuStart &) = default;
};

} // namespace sel4vm
