// SPDX-License-Identifier: BSD-2-Clause
//
// Waiting, answering, sending. What the kernel leaves alone is filled with rubbish here, so that nobody relies on it.
#include <sel4_host/double/kernel.hpp>

#include <cstdlib>

namespace sel4vm::sel4_double {

namespace {

constexpr u64 kRubbish = 0xdead'beef'dead'beef;
constexpr usize kInRegisters = 4;

Endpoint &endpoint_of(seL4_CPtr cap) {
    Kernel &kernel = Kernel::current();
    auto *const endpoint = kernel.invoked_as<Endpoint>(cap);
    if (endpoint == nullptr || !kernel.slot(cap)->allows(kRead)) {
        kernel.violate("waits on what it cannot receive from");
        std::abort();
    }
    return *endpoint;
}

[[maybe_unused]] Reply *reply_of(seL4_CPtr cap) {
    const Capability *const found = Kernel::current().slot(cap);
    Reply *const reply = found == nullptr ? nullptr : found->as<Reply>();
    if (reply == nullptr) {
        Kernel::current().violate("waits without a reply object");
        std::abort();
    }
    return reply;
}

/// `tag` is what the register held before; a notification does not change it.
seL4_MessageInfo_t receive(seL4_CPtr cap, Reply *reply, seL4_MessageInfo_t tag, seL4_Word *badge,
                           seL4_Word *const (&mr)[kInRegisters]) {
    Kernel &kernel = Kernel::current();
    const Message message = kernel.receive(endpoint_of(cap), reply);
    *badge = message.badge;
    for (usize i = 0; i < kInRegisters; ++i)
        *mr[i] = i < message.words.size() ? message.words[i] : kRubbish;
    for (usize i = kInRegisters; i < message.words.size(); ++i)
        kernel.buffer.msg[i] = message.words[i];
    if (message.sender == nullptr && message.label == 0 && message.words.empty())
        return tag;
    return seL4_MessageInfo_new(message.label, 0, 0, message.words.size());
}

/// Its first words are in the buffer; without a message, the badge is 0 and the rest is rubbish.
seL4_MessageInfo_t receive_now(seL4_CPtr cap, Reply *reply, seL4_Word *badge) {
    Kernel &kernel = Kernel::current();
    Endpoint &endpoint = endpoint_of(cap);
    if (!kernel.has_message(endpoint)) {
        *badge = 0;
        return {{kRubbish}};
    }
    seL4_Word mr[kInRegisters];
    const seL4_MessageInfo_t tag = receive(cap, reply, {{kRubbish}}, badge, {&mr[0], &mr[1], &mr[2], &mr[3]});
    for (usize i = 0; i < kInRegisters; ++i)
        kernel.buffer.msg[i] = mr[i];
    return tag;
}

void answer(Reply *reply, seL4_MessageInfo_t tag, seL4_Word *const (&mr)[kInRegisters]) {
    Kernel &kernel = Kernel::current();
    std::vector<u64> words;
    for (usize i = 0; i < seL4_MessageInfo_get_length(tag); ++i)
        words.push_back(i < kInRegisters ? *mr[i] : kernel.buffer.msg[i]);
    kernel.answer(reply, seL4_MessageInfo_get_label(tag), words);
}

} // namespace

} // namespace sel4vm::sel4_double

using namespace sel4vm;
using namespace sel4vm::sel4_double;

extern "C" {

seL4_IPCBuffer *seL4_GetIPCBuffer(void) { return &Kernel::current().buffer; }

#ifdef CONFIG_KERNEL_MCS

seL4_MessageInfo_t seL4_RecvWithMRs(seL4_CPtr cap, seL4_Word *badge, seL4_CPtr reply, seL4_Word *mr0, seL4_Word *mr1,
                                    seL4_Word *mr2, seL4_Word *mr3) {
    return receive(cap, reply_of(reply), {{kRubbish}}, badge, {mr0, mr1, mr2, mr3});
}

seL4_MessageInfo_t seL4_ReplyRecvWithMRs(seL4_CPtr cap, seL4_MessageInfo_t tag, seL4_Word *badge, seL4_Word *mr0,
                                         seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3, seL4_CPtr reply) {
    answer(reply_of(reply), tag, {mr0, mr1, mr2, mr3});
    return receive(cap, reply_of(reply), tag, badge, {mr0, mr1, mr2, mr3});
}

seL4_MessageInfo_t seL4_NBRecv(seL4_CPtr cap, seL4_Word *badge, seL4_CPtr reply) {
    return receive_now(cap, reply_of(reply), badge);
}

#else

seL4_MessageInfo_t seL4_RecvWithMRs(seL4_CPtr cap, seL4_Word *badge, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2,
                                    seL4_Word *mr3) {
    return receive(cap, nullptr, {{kRubbish}}, badge, {mr0, mr1, mr2, mr3});
}

seL4_MessageInfo_t seL4_ReplyRecvWithMRs(seL4_CPtr cap, seL4_MessageInfo_t tag, seL4_Word *badge, seL4_Word *mr0,
                                         seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3) {
    answer(nullptr, tag, {mr0, mr1, mr2, mr3});
    return receive(cap, nullptr, tag, badge, {mr0, mr1, mr2, mr3});
}

seL4_MessageInfo_t seL4_NBRecv(seL4_CPtr cap, seL4_Word *badge) { return receive_now(cap, nullptr, badge); }

#endif

// The caller is the only one who receives: its message waits for it.
void seL4_Send(seL4_CPtr cap, seL4_MessageInfo_t tag) {
    Kernel &kernel = Kernel::current();
    auto *const endpoint = kernel.invoked_as<Endpoint>(cap);
    if (endpoint == nullptr)
        return;
    const Capability &capability = *kernel.slot(cap);
    if (!capability.allows(kWrite)) {
        kernel.violate("a message without the right to send");
        return;
    }
    endpoint->queue.push_back({capability.badge, seL4_MessageInfo_get_label(tag), {}, nullptr});
}

void seL4_Signal(seL4_CPtr cap) {
    Kernel &kernel = Kernel::current();
    auto *const notification = kernel.invoked_as<Notification>(cap);
    if (notification == nullptr)
        return;
    if (!kernel.slot(cap)->allows(kWrite))
        kernel.violate("a signal without the right to send");
    notification->word |= kernel.slot(cap)->badge;
    notification->active = true;
}

// Nobody else runs meanwhile, so it must have been signalled.
void seL4_Wait(seL4_CPtr cap, seL4_Word *badge) {
    Kernel &kernel = Kernel::current();
    auto *const notification = kernel.invoked_as<Notification>(cap);
    if (notification == nullptr)
        return;
    if (!notification->active || !kernel.slot(cap)->allows(kRead))
        kernel.violate("waits for a signal that never comes");
    notification->active = false;
    const u64 word = std::exchange(notification->word, 0);
    if (badge != nullptr)
        *badge = word;
}

void seL4_Yield(void) {
    ++Kernel::current().calls;
    ++Kernel::current().yields;
}

} // extern "C"
