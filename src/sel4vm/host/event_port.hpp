// SPDX-License-Identifier: BSD-2-Clause
//
// The executor's one blocking call, and what wakes it. One EventPort per executor (host thread or CPU).
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/host/event.hpp>

namespace sel4vm {

class EventPort {
public:
    /// Applies the answer to the vCPU of the last event, lets vCPUs run, and returns the next event. Writes into
    /// `event`, which the executor keeps, because copying it would be a third of a hypercall's cost.
    virtual void resume_and_wait(Answer answer, Event &event) = 0;

    /// Applies the answer to the last event without waiting; resume_and_wait() is then given Answer::none(). The core
    /// uses it when a vCPU stops and is about to be reset or inspected.
    virtual void apply(Answer answer) = 0;

    /// Asks for EventKind::timeout at this time of Clock::now_ticks(); one at a time, the last call wins.
    virtual void set_timeout(u64 at_ticks) = 0;
    virtual void cancel_timeout() = 0;

    /// Makes resume_and_wait return a notification with these badge bits; from any thread.
    virtual void signal(u64 badge) = 0;

    // -- for hosts on which several executors serve one VM; on others nobody calls them. Kicks, turns and timeouts then come from any thread.
    /// After EventKind::idle: returns when another executor has something for this one (a kick, a turn, a timeout, a signal), or has called
    /// wake(), which also counts when it came before.
    virtual void wait_for_others() {}
    virtual void wake() {}

protected:
    ~EventPort() = default;
};

} // namespace sel4vm
