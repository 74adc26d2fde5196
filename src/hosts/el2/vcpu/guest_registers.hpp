// SPDX-License-Identifier: BSD-2-Clause
//
// A vCPU's registers and translation as the emulation of compound accesses asks for them.
#pragma once

#include <hosts/el2/vcpu/processor.hpp>

#include <sel4vm/arch/aarch64/access.hpp>

namespace sel4vm::el2 {

class GuestRegisters final : public aarch64::RegisterFile {
public:
    GuestRegisters(Processor &processor, Vcpu &vcpu) : processor_(processor), vcpu_(vcpu) {}
    [[nodiscard]] u64 x(unsigned n) override { return vcpu_.general_register(n); }
    void set_x(unsigned n, u64 value) override { vcpu_.set_general_register(n, value); }
    [[nodiscard]] u64 sp() override { return vcpu_.el1(stack_pointer()); }
    void set_sp(u64 value) override { vcpu_.set_el1(stack_pointer(), value); }
    [[nodiscard]] u64 pc() override { return vcpu_.context_.pc; }
    [[nodiscard]] u64 v(unsigned n, unsigned half) override { return vcpu_.simd_register(n, half); }
    void set_v(unsigned n, unsigned half, u64 value) override { vcpu_.set_simd_register(n, half, value); }

private:
    // PSTATE.SP: EL1h uses SP_EL1, EL1t and EL0 use SP_EL0.
    [[nodiscard]] El1Register stack_pointer() const {
        return (vcpu_.context_.pstate & 0xf) == static_cast<u64>(aarch64::Mode::el1h)
                   ? el1_register(aarch64::sysreg::kSpEl1)
                   : el1_register(aarch64::sysreg::kSpEl0);
    }
    Processor &processor_;
    Vcpu &vcpu_;
};

class GuestTranslator final : public aarch64::AddressTranslator {
public:
    GuestTranslator(Processor &processor, Vcpu &vcpu) : processor_(processor), vcpu_(vcpu) {}
    [[nodiscard]] std::optional<Gpa> translate(GuestVirt at, MemoryAccess access) override {
        const std::optional<Gpa> gpa = processor_.stage1(vcpu_, at.value(), access);
        if (gpa && vcpu_.space_.ram_at(*gpa, 1) != nullptr)
            return std::nullopt;
        return gpa;
    }

private:
    Processor &processor_;
    Vcpu &vcpu_;
};

} // namespace sel4vm::el2
