// SPDX-License-Identifier: BSD-2-Clause
//
// A Status, a Result without a value, is not dropped either.
// EXPECT: error: (ignoring returned value of type|ignoring return value of function declared with 'nodiscard')
#include <sel4vm/base/result.hpp>
#include <sel4vm/base/types.hpp>

namespace {
sel4vm::Status<sel4vm::u8> act() { return sel4vm::Ok{}; }
} // namespace

bool use() {
#ifdef SEL4VM_MUST_FAIL
    act();
#endif
    return act().has_value();
}
