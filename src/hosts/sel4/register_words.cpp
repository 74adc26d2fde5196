// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/register_words.hpp>

#include <algorithm>

namespace sel4vm::sel4 {

namespace {
constexpr unsigned kInRegisters = 4; ///< message words that never touch the IPC buffer
}

// What was changed here is newer than what the kernel has.
void RegisterWords::fetch(unsigned count) {
    SEL4VM_ASSERT(count <= kRegisterWords);
    seL4_Word mr[kInRegisters] = {0, count, 0, 0}; // flags 0: the thread is left as it is
    static_cast<void>(
        seL4_CallWithMRs(tcb_, seL4_MessageInfo_new(TCBReadRegisters, 0, 0, 2), &mr[0], &mr[1], &mr[2], &mr[3]));
    unsigned word = known_;
    for (; word < count && word < kInRegisters; ++word)
        words_[word] = mr[word];
    const seL4_Word *message = &seL4_GetIPCBuffer()->msg[0];
    for (; word < count; ++word)
        words_[word] = message[word];
    known_ = count;
}

void RegisterWords::write_back() {
    constexpr unsigned kArguments = 2; // flags and count come first
    const unsigned count = dirty_;
    SEL4VM_ASSERT(count <= known_);
    seL4_Word mr[kInRegisters] = {0, count, words_[0], words_[1]}; // flags 0: the thread stays stopped
    seL4_Word *message = &seL4_GetIPCBuffer()->msg[0];
    for (unsigned word = kInRegisters - kArguments; word < count; ++word)
        message[word + kArguments] = words_[word];
    static_cast<void>(seL4_CallWithMRs(tcb_, seL4_MessageInfo_new(TCBWriteRegisters, 0, 0, kArguments + count), &mr[0],
                                       &mr[1], &mr[2], &mr[3]));
    dirty_ = 0;
}

} // namespace sel4vm::sel4
