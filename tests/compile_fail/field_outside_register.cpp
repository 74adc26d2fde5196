// SPDX-License-Identifier: BSD-2-Clause
//
// A field must lie inside its register.
// EXPECT: error: static(_assert failed|_assert failed due to requirement| assertion failed).*field outside the register
#include <sel4vm/base/reg_value.hpp>

namespace {
struct Control : sel4vm::RegValue<Control, sel4vm::u32> {
    using RegValue::RegValue;
#ifdef SEL4VM_MUST_FAIL
    using Top = Field<32>;
#else
    using Top = Field<31>;
#endif
};
} // namespace

bool use(sel4vm::u32 raw) { return Control{raw}.get<Control::Top>(); }
