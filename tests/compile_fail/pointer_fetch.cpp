// SPDX-License-Identifier: BSD-2-Clause
//
// A pointer is not fetched from guest memory: the guest would choose what the VMM dereferences.
// EXPECT: (constraints not satisfied|no matching member function for call to 'fetch'|no matching function for call to .*fetch)
#include <sel4vm/vm/guest_memory.hpp>

bool use(const sel4vm::GuestMemory &memory) {
#ifdef SEL4VM_MUST_FAIL
    return memory.fetch<const char *>(sel4vm::Gpa{0x4000'0000}).has_value();
#else
    return memory.fetch<sel4vm::uptr>(sel4vm::Gpa{0x4000'0000}).has_value();
#endif
}
