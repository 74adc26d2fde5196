// SPDX-License-Identifier: BSD-2-Clause
//
// What an executor waits for: an exit of one vCPU, or a notification from the outside.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/host/exit.hpp>

#include <bit>
#include <type_traits>

namespace sel4vm {

enum class EventKind : u8 {
    exit,         ///< `vm`, `vcpu`, `exit`
    notification, ///< `badge`: one bit for each source that signalled since the last one
    timeout,      ///< a timeout requested through EventPort::set_timeout passed
    turn,         ///< `vm`, `vcpu`: the time until the next wait is its own, see VcpuPort::request_turn
    idle, ///< nothing can happen again unless another executor makes it: no runnable vCPU, no timeout, no source of notifications
};

/// What happened to whom; one word, so that a host can keep the one of each vCPU's exits ready and compare two at once.
struct alignas(8) EventSource {
    EventKind kind = EventKind::idle;
    u8 reserved0 = 0;
    VmId vm;
    VcpuId vcpu;
    u16 reserved1 = 0;

    [[nodiscard]] constexpr u64 word() const { return std::bit_cast<u64>(*this); }
};
static_assert(std::has_unique_object_representations_v<EventSource>);

struct Event : EventSource {
    Exit exit;
    u64 badge = 0;
    u64 message =
        0; ///< notification: what came with it, in the host's form (seL4: its MessageInfo); 0 for a mere signal
};

} // namespace sel4vm
