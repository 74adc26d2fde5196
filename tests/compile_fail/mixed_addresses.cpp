// SPDX-License-Identifier: BSD-2-Clause
//
// A host-physical address is not a guest-physical one, and a bare integer is neither.
// EXPECT: error: (could not convert|no (viable|known) conversion|no matching function for call to 'page_of')
#include <sel4vm/base/types.hpp>

namespace {
sel4vm::u64 page_of(sel4vm::Gpa at) { return at.value() / sel4vm::kPageBytes; }
} // namespace

sel4vm::u64 use(sel4vm::u64 raw) {
#ifdef SEL4VM_MUST_FAIL
    return page_of(sel4vm::HostPhys{raw});
#else
    return page_of(sel4vm::Gpa{raw});
#endif
}
