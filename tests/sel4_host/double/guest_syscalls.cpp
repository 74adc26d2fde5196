// SPDX-License-Identifier: BSD-2-Clause
//
// An hvc whose x7 names a system call: the guest makes that call, with the capabilities of its own CSpace. This is how messages are
// forged. Calls on capabilities other than endpoints and notifications are not here.
#include <sel4_host/double/kernel.hpp>

#include <optional>

namespace sel4vm::sel4_double {

namespace {

enum class Call : u8 { call, reply_receive, send, send_now, receive, reply, yield };

/// The kernel numbers its calls downwards from -1.
std::optional<Call> call_of(u64 number) {
#ifdef CONFIG_KERNEL_MCS
    constexpr Call kCalls[] = {Call::call,    Call::reply_receive, Call::reply_receive, Call::reply_receive,
                               Call::send,    Call::send_now,      Call::receive,       Call::receive,
                               Call::receive, Call::receive,       Call::yield};
#else
    constexpr Call kCalls[] = {Call::call,    Call::reply_receive, Call::send,  Call::send_now,
                               Call::receive, Call::reply,         Call::yield, Call::receive};
#endif
    const u64 index = ~number;
    return index < std::size(kCalls) ? std::optional{kCalls[index]} : std::nullopt;
}

enum class Phase : u8 { send, receive };

void raise_cap_fault(Tcb &thread, Phase phase) {
    constexpr u64 kMissingCapability = 2;
    raise_fault(thread, seL4_Fault_CapFault,
                {thread.registers[Tcb::kPc], thread.registers[Tcb::kX0], phase == Phase::receive ? u64{1} : 0,
                 kMissingCapability, 0});
}

void send(Tcb &thread, const Capability &cap, Call how) {
    constexpr usize kRegisters = 4; // the thread has no IPC buffer
    thread.registers[Tcb::kPc] += 4;
    thread.forges = true;
    if (!cap.allows(kWrite))
        return;
    if (auto *const notification = cap.as<Notification>()) {
        notification->word |= cap.badge;
        return;
    }
    auto *const endpoint = cap.as<Endpoint>();
    if (endpoint == nullptr || how == Call::send_now) // nobody waits at this moment
        return;
    const seL4_MessageInfo_t tag{{thread.registers[Tcb::kX0 + 1]}};
    Message message{cap.badge,
                    seL4_MessageInfo_get_label(tag),
                    {},
                    &thread,
                    how == Call::call ? Message::Sender::calls : Message::Sender::sends};
    for (usize i = 0; i < seL4_MessageInfo_get_length(tag) && i < kRegisters; ++i)
        message.words.push_back(thread.registers[Tcb::kX0 + 2 + i]);
    thread.state = Tcb::State::blocked_on_send;
    thread.sends_to = endpoint;
    endpoint->queue.push_back(std::move(message));
}

} // namespace

bool make_guests_call(Tcb &thread) {
    const std::optional<Call> call = call_of(thread.registers[word_of_x(7)]);
    if (!call)
        return false;
    const Capability *const cap = resolve(thread.cspace, thread.registers[Tcb::kX0], seL4_WordBits);
    const bool named = cap != nullptr && *cap;
    switch (*call) {
    case Call::yield:
    case Call::reply: thread.registers[Tcb::kPc] += 4; break; // nobody waits for its answer
    case Call::receive:
    case Call::reply_receive:
        if (named && cap->allows(kRead))
            Kernel::current().violate("a guest can receive from what is in its CSpace");
        raise_cap_fault(thread, Phase::receive);
        break;
    case Call::send_now:
        if (!named)
            thread.registers[Tcb::kPc] += 4;
        else
            send(thread, *cap, *call);
        break;
    case Call::call:
    case Call::send:
        if (!named)
            raise_cap_fault(thread, Phase::send);
        else
            send(thread, *cap, *call);
        break;
    }
    return true;
}

} // namespace sel4vm::sel4_double
