// SPDX-License-Identifier: BSD-2-Clause
//
// A field of one register is not read from another.
// EXPECT: error: no matching (member )?function for call to .*(get|with)
#include <sel4vm/base/reg_value.hpp>

namespace {
struct Control : sel4vm::RegValue<Control, sel4vm::u32> {
    using RegValue::RegValue;
    using Enable = Field<0>;
};
struct Status : sel4vm::RegValue<Status, sel4vm::u32> {
    using RegValue::RegValue;
    using Ready = Field<0>;
};
} // namespace

bool use(sel4vm::u32 raw) {
#ifdef SEL4VM_MUST_FAIL
    return Control{raw}.get<Status::Ready>();
#else
    return Control{raw}.get<Control::Enable>() && Status{raw}.get<Status::Ready>();
#endif
}
