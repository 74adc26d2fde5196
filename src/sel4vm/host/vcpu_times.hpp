// SPDX-License-Identifier: BSD-2-Clause
//
// What a vCPU's time went to, as its host counts it: in ticks of Clock, since the vCPU was made. A vCPU that is stopped (off, paused,
// its VM stopped) is in none of the three.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm {

struct VcpuTimes {
    u64 running_ticks = 0; ///< it had its CPU: the guest's code, its exits, and what the host did in between
    u64 waiting_ticks = 0; ///< it was blocked: the guest waited for an interrupt
    u64 stolen_ticks = 0;  ///< it could have run, and others did, or its budget was used up
};

} // namespace sel4vm
