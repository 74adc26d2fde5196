// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/register_words.hpp>

#include <hosts/sel4/invocation.hpp>

#include <sel4vm/base/copy_words.hpp>

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
    const unsigned known = known_;
    const unsigned count = words_to_fetch(wanted, known);
    seL4_Word mr[kInRegisters];
    mr[0] = 0; // flags: the thread is left as it is
    mr[1] = count;
    static_cast<void>(
        seL4_CallWithMRs(tcb_, seL4_MessageInfo_new(TCBReadRegisters, 0, 0, 2), &mr[0], &mr[1], &mr[2], &mr[3]));
    known_ = count;
    if (known > 1) [[unlikely]]
        return take(known, count, mr);
    // The first ones are taken whether they were asked for or not: only those below `count` count.
    if (known == 0)
        words_[0] = mr[0];
    words_[1] = mr[1];
    words_[2] = mr[2];
    words_[3] = mr[3];
    if (count <= kInRegisters)
        return;
    if (count == kRegisterWords) {
        copy_words<kRegisterWords - kInRegisters>(&seL4_GetIPCBuffer()->msg[kInRegisters], &words_[kInRegisters]);
        return;
    }
    take(kInRegisters, count, mr);
}

// Those from `first` on.
[[gnu::noinline]] void RegisterWords::take(unsigned first, unsigned count, const seL4_Word *in_registers) {
    const seL4_Word *const message = &seL4_GetIPCBuffer()->msg[0];
    for (unsigned word = first; word < count; ++word)
        words_[word] = word < kInRegisters ? in_registers[word] : message[word];
}

void RegisterWords::write_back() {
    constexpr unsigned kArguments = 2; // flags and count come first
    const unsigned count = dirty_;
    SEL4VM_ASSERT(count <= known_);
    seL4_Word *const message = &seL4_GetIPCBuffer()->msg[kArguments];
    // Two are in registers. The next two go along whether they count or not.
    message[2] = words_[2];
    message[3] = words_[3];
    for (unsigned word = kInRegisters; word < count; ++word)
        message[word] = words_[word];
    send_write_registers(tcb_, count, words_[0], words_[1]);
    dirty_ = 0;
}

} // namespace sel4vm::sel4
