// SPDX-License-Identifier: BSD-2-Clause
//
// All registers of a vCPU in seL4's order, copied at once: a client's SMC callback gets them, and most stay as they are.
#pragma once

#include <hosts/el2/vcpu/vcpu.hpp>

#include <sel4vm/capi/binding_context.hpp>

#include <utility>

namespace sel4vm::el2 {

class VcpuContext final : public capi::ContextPort {
public:
    explicit VcpuContext(Vcpu &vcpu) : vcpu_(vcpu) {}

    [[nodiscard]] const capi::UserContextArray &context() override {
        using Layout = capi::UserContextLayout;
        const GuestContext &from = vcpu_.context();
        const Vcpu::ThreadRegisters thread = vcpu_.thread_registers();
        words_[Layout::kPc] = vcpu_.program_counter();
        words_[Layout::kSp] = thread.sp_el0;
        words_[Layout::kSpsr] = from.pstate;
        [&]<usize... I>(std::index_sequence<I...>) {
            ((words_[Layout::kX0 + I] = from.x[Layout::general(Layout::kX0 + I)]), ...);
        }
        (std::make_index_sequence<Layout::kFirstAfterGeneral - Layout::kX0>{});
        words_[Layout::kFirstAfterGeneral] = thread.tpidr_el0;
        words_[Layout::kFirstAfterGeneral + 1] = thread.tpidrro_el0;
        return words_;
    }
    [[nodiscard]] bool set_context_word(usize index, u64 value) override {
        const bool done = capi::write_context_word(vcpu_, index, value);
        if (done)
            words_[index] = value;
        return done;
    }
    void set_context(const seL4_UserContext &context, usize count) override {
        for (usize index = 0; index < count; ++index) {
            u64 wanted = 0;
            __builtin_memcpy(&wanted,
                             static_cast<const u8 *>(static_cast<const void *>(&context)) + index * sizeof(wanted),
                             sizeof(wanted));
            if (wanted != words_[index])
                static_cast<void>(set_context_word(index, wanted)); // what the host cannot set stays
        }
    }

private:
    static_assert(capi::UserContextLayout::kWords == capi::UserContextLayout::kFirstAfterGeneral + 2);
    Vcpu &vcpu_;
    capi::UserContextArray words_{};
};

} // namespace sel4vm::el2
