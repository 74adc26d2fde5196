// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/register_words.hpp>

#include <hosts/sel4/invocation.hpp>

namespace sel4vm::sel4 {

namespace {

constexpr unsigned kInRegisters = 4;    ///< message words that never touch the IPC buffer
constexpr unsigned kArgumentWords = 12; ///< up to x8

// Exactly what is asked for at first, since most exits need one register. Who asks again reads on through arguments, and who wants
// more than that, through all of them.
constexpr unsigned words_to_fetch(unsigned wanted, unsigned known) {
    if (known <= 1)
        return wanted;
    return wanted <= kArgumentWords ? kArgumentWords : kRegisterWords;
}

} // namespace

// What was changed here is newer than what the kernel has.
void RegisterWords::fetch(unsigned wanted) {
    SEL4VM_ASSERT(wanted <= kRegisterWords);
    const unsigned count = words_to_fetch(wanted, known_);
    seL4_Word mr[kInRegisters] = {0, count, 0, 0}; // flags 0: the thread is left as it is
    static_cast<void>(
        seL4_CallWithMRs(tcb_, seL4_MessageInfo_new(TCBReadRegisters, 0, 0, 2), &mr[0], &mr[1], &mr[2], &mr[3]));
    unsigned word = known_;
    for (; word < count && word < kInRegisters; ++word)
        words_[word] = mr[word];
    // In fours where that reaches neither what is known nor beyond the end: an exit that takes everything is a long copy.
    const seL4_Word *message = &seL4_GetIPCBuffer()->msg[0];
    constexpr unsigned kStep = 4;
    for (; word < count && word + kStep <= kRegisterWords; word += kStep) {
        for (unsigned i = 0; i < kStep; ++i)
            words_[word + i] = message[word + i];
    }
    for (; word < count; ++word)
        words_[word] = message[word];
    known_ = count;
}

void RegisterWords::write_back() {
    constexpr unsigned kArguments = 2; // flags and count come first
    const unsigned count = dirty_;
    SEL4VM_ASSERT(count <= known_);
    seL4_Word *message = &seL4_GetIPCBuffer()->msg[0];
    for (unsigned word = kInRegisters - kArguments; word < count; ++word)
        message[word + kArguments] = words_[word];
    send_write_registers(tcb_, count, words_[0], words_[1]);
    dirty_ = 0;
}

} // namespace sel4vm::sel4
