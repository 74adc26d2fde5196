// SPDX-License-Identifier: BSD-2-Clause
//
// The general registers of a stopped thread as the kernel hands them out: an array of words in its own order, of which a
// call moves the first n. Read when somebody asks, written back once, and never more of them than needed: moving all of
// them, as libsel4's stubs do, costs more than the rest of an exit.
#pragma once

#include <hosts/sel4/kernel.hpp>

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/copy_words.hpp>

#include <array>

namespace sel4vm::sel4 {

// The kernel's order on AArch64.
inline constexpr unsigned kWordPc = 0;
inline constexpr unsigned kWordSp = 1; ///< SP_EL0
inline constexpr unsigned kWordPstate = 2;
inline constexpr unsigned kWordX0 = 3;
inline constexpr unsigned kWordTpidrEl0 = 34;
inline constexpr unsigned kWordTpidrroEl0 = 35;
inline constexpr unsigned kRegisterWords = 36;

/// Where x0 to x30 are.
inline constexpr std::array<u8, 31> kWordOfX = {3,  4,  5,  6,  7,  8,  9,  10, 11, 17, 18, 19, 20, 21, 22, 23,
                                                12, 13, 14, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 15, 16};
[[nodiscard]] constexpr unsigned word_of_x(unsigned n) { return kWordOfX.begin()[n]; }
/// Whether a change of it does not fit into the answer to an unknown system call.
[[nodiscard]] constexpr bool is_beside_answer(unsigned word) { return word == kWordSp || word == kWordPstate; }
static_assert(word_of_x(8) == 11 && word_of_x(16) == 12 && word_of_x(29) == 15 && word_of_x(30) == 16);
static_assert(word_of_x(9) == 17 && word_of_x(15) == 23 && word_of_x(19) == 24 && word_of_x(28) == 33);

class RegisterWords {
public:
    void bind(seL4_CPtr tcb) { tcb_ = tcb; }

    [[nodiscard]] u64 get(unsigned word) {
        if (word >= known_) [[unlikely]]
            fetch(word + 1);
        return words_[word];
    }
    void set(unsigned word, u64 value) {
        // A prefix is written back, so all before it must be known.
        if (word > known_) [[unlikely]]
            fetch(word);
        words_[word] = value;
        if (word >= known_)
            known_ = word + 1;
        if (word >= dirty_)
            dirty_ = word + 1;
    }
    /// The first `count`, a multiple of 4, when all are known. True when one of those changed that no message carries.
    [[nodiscard]] bool set_first(const seL4_UserContext &context, unsigned count) {
        constexpr unsigned kStep = 4;
        SEL4VM_ASSERT(known_ == kRegisterWords && count <= kRegisterWords && count % kStep == 0);
        const u64 sp = words_[kWordSp];
        const u64 pstate = words_[kWordPstate];
        const auto *const from = reinterpret_cast<const u8 *>(&context);
        for (unsigned word = 0; word < count; word += kStep)
            copy_words<kStep>(from + word * sizeof(u64), words_.data() + word);
        dirty_ = dirty_ < count ? count : dirty_;
        return words_[kWordSp] != sp || words_[kWordPstate] != pstate;
    }
    /// All of them, in one read.
    [[nodiscard]] const std::array<u64, kRegisterWords> &all() {
        if (known_ < kRegisterWords)
            fetch(kRegisterWords);
        return words_;
    }
    /// Known without asking the kernel? PSTATE is looked at only if it costs nothing.
    [[nodiscard]] bool knows(unsigned word) const { return word < known_; }

    /// The thread stopped; nothing is known but what a fault message said.
    void begin() { known_ = 0; }
    void begin_at(u64 pc) {
        words_[kWordPc] = pc;
        known_ = 1;
    }
    /// The first `count` words came with the message, in `words()`.
    void begin_with(unsigned count) { known_ = count; }
    [[nodiscard]] std::array<u64, kRegisterWords> &words() { return words_; }

    [[nodiscard]] unsigned dirty() const { return dirty_; }
    /// The changes have reached the thread by other means, or do not matter any more.
    void discard_changes() { dirty_ = 0; }
    /// Writes back what changed.
    void flush() {
        if (dirty_ != 0)
            write_back();
    }
    /// All registers at once, for a reset.
    void replace(const std::array<u64, kRegisterWords> &words) {
        words_ = words;
        known_ = kRegisterWords;
        dirty_ = kRegisterWords;
        write_back();
    }

private:
    void fetch(unsigned wanted);
    void take(unsigned first, unsigned count, const seL4_Word *in_registers);
    void write_back();

    seL4_CPtr tcb_ = 0;
    unsigned known_ = 0; ///< this many words are valid
    unsigned dirty_ = 0; ///< this many words must be written back; never more than known_
    std::array<u64, kRegisterWords> words_{};
};

} // namespace sel4vm::sel4
