// SPDX-License-Identifier: BSD-2-Clause
//
// What an executor waits for: an exit of one vCPU, or a notification from the outside.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/host/exit.hpp>

namespace sel4vm {

enum class EventKind : u8 {
    exit,         ///< `vm`, `vcpu`, `exit`
    notification, ///< `badge`: one bit for each source that signalled since the last one
    timeout,      ///< a timeout requested through EventPort::set_timeout passed
    idle,         ///< nothing can ever happen again: no runnable vCPU, no timeout, no source of notifications
};

struct Event {
    EventKind kind = EventKind::idle;
    VmId vm;
    VcpuId vcpu;
    Exit exit;
    u64 badge = 0;
    u64 message =
        0; ///< notification: what came with it, in the host's form (seL4: its MessageInfo); 0 for a mere signal
};

} // namespace sel4vm
