// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/capi/user_context.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>

namespace sel4vm::capi {

namespace {

namespace sysreg = aarch64::sysreg;

/// The system register of a word of seL4_UserContext that is neither general register nor PC.
u32 system_register_of_word(usize index) {
    switch (index) {
    case UserContextLayout::kSp: return sysreg::kSpEl0;
    case UserContextLayout::kSpsr: return sysreg::kSpsrEl2;
    case UserContextLayout::kFirstAfterGeneral: return sysreg::kTpidrEl0;
    default: return sysreg::kTpidrroEl0;
    }
}

bool is_general(usize index) {
    return index >= UserContextLayout::kX0 && index < UserContextLayout::kFirstAfterGeneral;
}

} // namespace

u64 read_context_word(VcpuPort &port, usize index) {
    if (index == UserContextLayout::kPc)
        return port.program_counter();
    if (is_general(index))
        return port.general_register(UserContextLayout::general(index));
    return port.system_register(system_register_of_word(index)).value_or(0);
}

bool write_context_word(VcpuPort &port, usize index, u64 value) {
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
