// SPDX-License-Identifier: BSD-2-Clause
//
// Waiting for a message, with and without answering the last one, on both of the kernel's interfaces (MCS and not). The
// first four words travel in registers and never touch the IPC buffer.
#pragma once

#include <hosts/sel4/kernel.hpp>

#include <array>

namespace sel4vm::sel4 {

/// The message of one system call, which fills it.
struct Message {
    seL4_MessageInfo_t tag;
    seL4_Word badge;
    std::array<seL4_Word, 4> mr;
    [[nodiscard]] seL4_Word length() const { return seL4_MessageInfo_get_length(tag); }
    [[nodiscard]] seL4_Word label() const { return seL4_MessageInfo_get_label(tag); }
};

/// `reply` is the reply object, on MCS only. A fault whose reply capability is lost here can still be ended by resuming its thread.
[[gnu::always_inline]] inline void wait_for(seL4_CPtr endpoint, [[maybe_unused]] seL4_CPtr reply, Message &message) {
    auto &mr = message.mr;
#ifdef CONFIG_KERNEL_MCS
    message.tag = seL4_RecvWithMRs(endpoint, &message.badge, reply, &mr[0], &mr[1], &mr[2], &mr[3]);
#else
    message.tag = seL4_RecvWithMRs(endpoint, &message.badge, &mr[0], &mr[1], &mr[2], &mr[3]);
#endif
}

/// The message that waits there, if one does; its first words are in the IPC buffer, too. The kernel says that there is none by a badge of
/// 0, so nothing without a badge is ever heard in this way.
[[nodiscard]] inline bool poll(seL4_CPtr endpoint, [[maybe_unused]] seL4_CPtr reply, Message &message) {
    message.badge = 0;
#ifdef CONFIG_KERNEL_MCS
    message.tag = seL4_NBRecv(endpoint, &message.badge, reply);
#else
    message.tag = seL4_NBRecv(endpoint, &message.badge);
#endif
    for (unsigned i = 0; i < message.mr.size(); ++i)
        message.mr[i] = seL4_GetMR(static_cast<int>(i));
    return message.badge != 0;
}

/// Length of an answer that the kernel's fast IPC leaves alone at once: of all faults it answers those of memory alone, and would find that out after
/// most of its work. For faults whose answer carries nothing, which are those of VCPU objects. The words are zeros, since a guest can send such a fault
/// itself, and then it gets them.
inline constexpr u8 kNotFast = 5;

/// message.mr holds the first words of the answer, the IPC buffer the rest of `words`.
[[gnu::always_inline]] inline void answer_and_wait(seL4_CPtr endpoint, [[maybe_unused]] seL4_CPtr reply,
                                                   seL4_Word words, Message &message) {
    auto &mr = message.mr;
    const seL4_MessageInfo_t tag = seL4_MessageInfo_new(0, 0, 0, words);
#ifdef CONFIG_KERNEL_MCS
    message.tag = seL4_ReplyRecvWithMRs(endpoint, tag, &message.badge, &mr[0], &mr[1], &mr[2], &mr[3], reply);
#else
    message.tag = seL4_ReplyRecvWithMRs(endpoint, tag, &message.badge, &mr[0], &mr[1], &mr[2], &mr[3]);
#endif
}

} // namespace sel4vm::sel4
