// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/messages.hpp>

#include <sel4_host/double/kernel.hpp>

#include <algorithm>

namespace sel4vm::sel4_double {

void Notification::finalise() {
    if (bound != nullptr)
        bound->notification = nullptr;
}

void Reply::finalise() {
    if (thread == nullptr)
        return;
    thread->reply = nullptr;
    thread->state = Tcb::State::inactive;
}

namespace {

/// Where the thread's faults go; nullptr when that capability is not good enough.
const Capability *handler_of(const Tcb &thread) {
#ifdef CONFIG_KERNEL_MCS
    const Capability *const found = &thread.fault_endpoint;
#else
    const Capability *const found = resolve(thread.cspace, thread.fault_handler, seL4_WordBits);
#endif
    return found != nullptr && found->is(ObjectKind::endpoint) && found->allows(kWrite) &&
                   (found->rights & (kGrant | kGrantReply)) != 0
               ? found
               : nullptr;
}

} // namespace

void raise_fault(Tcb &thread, u64 label, std::vector<u64> words) {
    const Capability *const handler = handler_of(thread);
    if (handler == nullptr) {
        thread.state = Tcb::State::inactive;
        Kernel::current().violate("a fault that nobody hears: the thread cannot name an endpoint for it");
        return;
    }
    auto *const endpoint = handler->as<Endpoint>();
    thread.state = Tcb::State::blocked_on_send;
    thread.sends_to = endpoint;
    thread.fault = label;
    endpoint->queue.push_back({handler->badge, label, std::move(words), &thread});
}

bool Kernel::take_message(Endpoint &endpoint, Message &message) {
    std::deque<Message> &queue = played.empty() ? endpoint.queue : played;
    if (queue.empty())
        return false;
    message = std::move(queue.front());
    queue.pop_front();
    return true;
}

bool Kernel::has_message(const Endpoint &endpoint) {
    static_cast<void>(run_timers());
    const Notification *const bound = self->notification;
    return (bound != nullptr && bound->word != 0) || !played.empty() || !endpoint.queue.empty();
}

Message Kernel::receive(Endpoint &endpoint, Reply *reply) {
    last_fault = nullptr; // its reply capability is gone
    if (reply != nullptr && reply->thread != nullptr) {
        reply->thread->state = Tcb::State::inactive;
        reply->thread->reply = nullptr;
        reply->thread = nullptr;
    }
    Message message;
    for (;;) {
        static_cast<void>(run_timers());
        Notification *const bound = self->notification;
        if (bound != nullptr && bound->word != 0) {
            message = {};
            message.badge = std::exchange(bound->word, 0);
            return message;
        }
        if (take_message(endpoint, message))
            break;
        run_guests(endpoint);
    }
    Tcb *const sender = message.sender;
    if (sender == nullptr)
        return message;
    sender->sends_to = nullptr;
    if (message.how == Message::Sender::sends) {
        sender->state = Tcb::State::running;
        return message;
    }
    sender->fault = message.how == Message::Sender::faulted ? message.label : 0;
    sender->state = Tcb::State::blocked_on_reply;
    if (reply != nullptr) {
        reply->thread = sender;
        sender->reply = reply;
    } else {
        last_fault = sender;
    }
    return message;
}

void Kernel::answer(Reply *reply, u64 label, const std::vector<u64> &words) {
    answers.push_back(words);
    Tcb *thread = reply != nullptr ? std::exchange(reply->thread, nullptr) : std::exchange(last_fault, nullptr);
    if (thread == nullptr) {
        if (std::none_of(threads.begin(), threads.end(), [](const Tcb *any) { return any->forges; }))
            violate("an answer to nobody");
        return;
    }
    thread->reply = nullptr;
    if (thread->fault == 0) { // it made a call, and gets a message
        thread->registers[Tcb::kX0] = 0;
        thread->registers[Tcb::kX0 + 1] = seL4_MessageInfo_new(label, 0, 0, words.size()).words[0];
        for (usize i = 0; i < words.size() && i < 4; ++i)
            thread->registers[Tcb::kX0 + 2 + i] = words[i];
        label = 0;
    } else if (thread->fault == seL4_Fault_UnknownSyscall) {
        for (usize i = 0; i < words.size(); ++i) {
            if (i < seL4_UnknownSyscall_FaultIP)
                thread->registers[word_of_x(static_cast<unsigned>(i))] = words[i];
            else if (i == seL4_UnknownSyscall_FaultIP)
                thread->registers[Tcb::kPc] = words[i];
            else if (i == seL4_UnknownSyscall_SP)
                thread->registers[Tcb::kSp] = words[i];
            else if (i == seL4_UnknownSyscall_SPSR)
                thread->set_pstate(words[i]);
        }
    } else if (thread->fault == seL4_Fault_UserException && !words.empty()) {
        violate("an answer that changes registers");
    }
    thread->fault = 0;
    thread->state = label == 0 ? Tcb::State::running : Tcb::State::inactive;
}

} // namespace sel4vm::sel4_double
