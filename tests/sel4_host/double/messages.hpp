// SPDX-License-Identifier: BSD-2-Clause
//
// Endpoints, notifications and reply objects.
#pragma once

#include <sel4_host/double/thread.hpp>

#include <deque>
#include <vector>

namespace sel4vm::sel4_double {

struct Message {
    enum class Sender : u8 { faulted, calls, sends };
    u64 badge = 0;
    u64 label = 0;
    std::vector<u64> words;
    Tcb *sender = nullptr; ///< waits until it is received, and then for the answer, unless it only sends
    Sender how = Sender::faulted;
};

class Endpoint final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::endpoint;
    Endpoint() : Object(kKind, seL4_EndpointBits) {}
    std::deque<Message> queue;
};

class Notification final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::notification;
    Notification() : Object(kKind, seL4_NotificationBits) {}
    void finalise() override;
    u64 word = 0;
    bool active = false; ///< signalled, perhaps without a badge
    Tcb *bound = nullptr;
};

class Reply final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::reply;
    Reply() : Object(kKind, seL4_ReplyBits) {}
    void finalise() override;
    Tcb *thread = nullptr; ///< that waits for it
};

/// False: this thread's hvc names no system call.
[[nodiscard]] bool make_guests_call(Tcb &thread);
/// The thread stops with this fault and tells its handler.
void raise_fault(Tcb &thread, u64 label, std::vector<u64> words);

} // namespace sel4vm::sel4_double
