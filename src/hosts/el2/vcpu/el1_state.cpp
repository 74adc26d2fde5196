// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/vcpu/el1_state.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <sel4vm/arch/aarch64/system_registers.hpp>

namespace sel4vm::el2 {

void El1State::reset() {
    values_.fill(0);
    set(El1Register::sctlr_el1, aarch64::kSctlrEl1Reset);
}

void El1State::save() {
#define SEL4VM_EL2_ROW(id, name) set(El1Register::name, SEL4VM_READ_SYSREG(name));
    SEL4VM_EL2_GUEST_REGISTERS(SEL4VM_EL2_ROW)
#undef SEL4VM_EL2_ROW
}

void El1State::load() const {
#define SEL4VM_EL2_ROW(id, name) SEL4VM_WRITE_SYSREG(name, get(El1Register::name));
    SEL4VM_EL2_GUEST_REGISTERS(SEL4VM_EL2_ROW)
#undef SEL4VM_EL2_ROW
}

std::optional<El1Register> el1_register_of(u32 sysreg_id) {
    switch (sysreg_id) {
#define SEL4VM_EL2_ROW(id, name) \
    case aarch64::sysreg::id: return El1Register::name;
        SEL4VM_EL2_GUEST_REGISTERS(SEL4VM_EL2_ROW)
#undef SEL4VM_EL2_ROW
    default: return std::nullopt;
    }
}

u64 read_el1(El1Register which) {
    switch (which) {
#define SEL4VM_EL2_ROW(id, name) \
    case El1Register::name: return SEL4VM_READ_SYSREG(name);
        SEL4VM_EL2_GUEST_REGISTERS(SEL4VM_EL2_ROW)
#undef SEL4VM_EL2_ROW
    case El1Register::count_: break;
    }
    SEL4VM_PANIC("not a register");
}

void write_el1(El1Register which, u64 value) {
    switch (which) {
#define SEL4VM_EL2_ROW(id, name) \
    case El1Register::name: SEL4VM_WRITE_SYSREG(name, value); return;
        SEL4VM_EL2_GUEST_REGISTERS(SEL4VM_EL2_ROW)
#undef SEL4VM_EL2_ROW
    case El1Register::count_: break;
    }
    SEL4VM_PANIC("not a register");
}

} // namespace sel4vm::el2
