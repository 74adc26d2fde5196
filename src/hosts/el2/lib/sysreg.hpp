// SPDX-License-Identifier: BSD-2-Clause
//
// System register access and barriers by name. Names are the assembler's, so a wrong one does not build. Deliberately
// macros: a register name is part of the instruction, not an operand.
#pragma once

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/types.hpp>

// SAFETY: volatile keeps reads in order; the memory clobber on writes keeps ordinary accesses on their side of a change of
// translation or control. Synchronisation (isb, dsb) is the caller's, where it is needed.
#define SEL4VM_READ_SYSREG(name)                               \
    __extension__({                                            \
        ::sel4vm::u64 sel4vm_sysreg_;                          \
        asm volatile("mrs %0, " #name : "=r"(sel4vm_sysreg_)); \
        sel4vm_sysreg_;                                        \
    })
#define SEL4VM_WRITE_SYSREG(name, value) \
    asm volatile("msr " #name ", %x0" ::"rZ"(static_cast<::sel4vm::u64>(value)) : "memory")

namespace sel4vm::el2 {

/// A register by its packed number, for tables of them.
template <u32 Id>
[[nodiscard]] inline u64 read_sysreg() {
    u64 value;
    asm volatile("mrs %0, S%c1_%c2_C%c3_C%c4_%c5"
                 : "=r"(value)
                 : "i"(aarch64::sysreg_op0(Id)), "i"(aarch64::sysreg_op1(Id)), "i"(aarch64::sysreg_crn(Id)),
                   "i"(aarch64::sysreg_crm(Id)), "i"(aarch64::sysreg_op2(Id)));
    return value;
}
template <u32 Id>
inline void write_sysreg(u64 value) {
    asm volatile("msr S%c1_%c2_C%c3_C%c4_%c5, %x0" ::"rZ"(value), "i"(aarch64::sysreg_op0(Id)),
                 "i"(aarch64::sysreg_op1(Id)), "i"(aarch64::sysreg_crn(Id)), "i"(aarch64::sysreg_crm(Id)),
                 "i"(aarch64::sysreg_op2(Id))
                 : "memory");
}

[[nodiscard]] inline bool at_el2() { return SEL4VM_READ_SYSREG(CurrentEL) == u64{2} << 2; }

inline void isb() { asm volatile("isb" ::: "memory"); }
inline void dsb_ish() { asm volatile("dsb ish" ::: "memory"); }
inline void dsb_ishst() { asm volatile("dsb ishst" ::: "memory"); }
inline void dsb_sy() { asm volatile("dsb sy" ::: "memory"); }

} // namespace sel4vm::el2
