// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/arch/aarch64/architecture.hpp>

#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/smccc.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>

namespace sel4vm::aarch64 {

namespace {

class Aarch64 final : public Architecture {
public:
    /// As an assembler writes it.
    [[nodiscard]] Text<32> register_name(u32 id) const override {
        Text<32> text;
        text << "s" << u32{sysreg_op0(id)} << '_' << u32{sysreg_op1(id)} << "_c" << u32{sysreg_crn(id)} << "_c"
             << u32{sysreg_crm(id)} << '_' << u32{sysreg_op2(id)};
        return text;
    }
    [[nodiscard]] Text<32> call_name(const HypercallExit &call) const override {
        Text<32> text;
        text << (conduit_of(call) == Conduit::smc ? "smc #" : "hvc #") << immediate_of(call);
        return text;
    }
    void refuse_call(VcpuPort &vcpu) const override {
        vcpu.set_general_register(0, static_cast<u64>(smccc::kNotSupported));
    }
    // The vector for a synchronous exception of EL1's own; one of EL0's is in the same page, and leads there next.
    [[nodiscard]] bool is_where_exceptions_go(VcpuPort &vcpu) const override {
        constexpr u64 kSynchronousOfEl1h = 0x200;
        const auto vbar = vcpu.system_register(sysreg::kVbarEl1);
        return vbar && vcpu.program_counter() == *vbar + kSynchronousOfEl1h;
    }
};

} // namespace

const Architecture &architecture() {
    static constexpr Aarch64 kAarch64{};
    return kAarch64;
}

} // namespace sel4vm::aarch64
