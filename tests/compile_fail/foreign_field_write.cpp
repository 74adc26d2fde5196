// SPDX-License-Identifier: BSD-2-Clause
//
// A field of one register is not written into another.
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

sel4vm::u32 use(sel4vm::u32 raw) {
#ifdef SEL4VM_MUST_FAIL
    return Control{raw}.with<Status::Ready>(true).raw();
#else
    return Control{raw}.with<Control::Enable>(true).raw();
#endif
}
