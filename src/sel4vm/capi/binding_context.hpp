// SPDX-License-Identifier: BSD-2-Clause
//
// Which register each word of seL4_UserContext is, for whoever has them one by one: the C interface, and what a host binds to it.
#pragma once

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/capi/binding.hpp>
#include <sel4vm/host/vcpu_port.hpp>

#include <array>

namespace sel4vm::capi {

struct UserContextLayout {
    static constexpr usize kWords = sizeof(seL4_UserContext) / sizeof(seL4_Word);
    static constexpr usize kPc = 0;
    static constexpr usize kSp = 1;
    static constexpr usize kSpsr = 2;
    static constexpr usize kX0 = 3;
    static constexpr usize kFirstAfterGeneral = 34; ///< tpidr_el0, then tpidrro_el0 where the kernel has it
    static_assert(kWords >= kFirstAfterGeneral && sizeof(seL4_Word) == 8);

    /// The general register of a word from kX0 to kFirstAfterGeneral - 1.
    [[nodiscard]] static constexpr unsigned general(usize index) {
        constexpr std::array<u8, kFirstAfterGeneral - kX0> kNumbers = {0,  1,  2,  3,  4,  5,  6,  7,  8,  16, 17,
                                                                       18, 29, 30, 9,  10, 11, 12, 13, 14, 15, 19,
                                                                       20, 21, 22, 23, 24, 25, 26, 27, 28};
        return kNumbers[index - kX0];
    }
};

/// The system register of a word of seL4_UserContext that is neither general register nor PC.
[[nodiscard]] inline u32 system_register_of_word(usize index) {
    switch (index) {
    case UserContextLayout::kSp: return aarch64::sysreg::kSpEl0;
    case UserContextLayout::kSpsr: return aarch64::sysreg::kSpsrEl2;
    case UserContextLayout::kFirstAfterGeneral: return aarch64::sysreg::kTpidrEl0;
    default: return aarch64::sysreg::kTpidrroEl0;
    }
}

[[nodiscard]] constexpr bool is_general(usize index) {
    return index >= UserContextLayout::kX0 && index < UserContextLayout::kFirstAfterGeneral;
}

/// One word, from the registers of a port.
[[nodiscard]] inline u64 read_context_word(VcpuPort &port, usize index) {
    if (index == UserContextLayout::kPc)
        return port.program_counter();
    if (is_general(index))
        return port.general_register(UserContextLayout::general(index));
    return port.system_register(system_register_of_word(index)).value_or(0);
}

/// False: the host cannot set it. A context that was read, changed and written back brings 0 for what the host cannot tell either: that stays.
[[nodiscard]] inline bool write_context_word(VcpuPort &port, usize index, u64 value) {
    if (index == UserContextLayout::kPc) {
        port.set_program_counter(value);
    } else if (is_general(index)) {
        port.set_general_register(UserContextLayout::general(index), value);
    } else {
        return port.set_system_register(system_register_of_word(index), value).has_value() || value == 0;
    }
    return true;
}

} // namespace sel4vm::capi
