// SPDX-License-Identifier: BSD-2-Clause
//
// A Result that nobody looks at does not build.
// EXPECT: error: (ignoring returned value of type|ignoring return value of function declared with 'nodiscard')
#include <sel4vm/base/result.hpp>
#include <sel4vm/base/types.hpp>

namespace {
sel4vm::Result<sel4vm::u32, sel4vm::u8> produce() { return sel4vm::u32{1}; }
} // namespace

sel4vm::u32 use() {
#ifdef SEL4VM_MUST_FAIL
    produce();
#endif
    return *produce();
}
