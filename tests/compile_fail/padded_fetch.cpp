// SPDX-License-Identifier: BSD-2-Clause
//
// A struct with padding is not fetched from guest memory: what the padding holds would be nobody's decision.
// EXPECT: (constraints not satisfied|no matching member function for call to 'fetch'|no matching function for call to .*fetch)
#include <sel4vm/vm/guest_memory.hpp>

namespace {
struct Descriptor {
    sel4vm::u64 at;
    sel4vm::u32 size_bytes;
#ifndef SEL4VM_MUST_FAIL
    sel4vm::u32 flags;
#endif
};
} // namespace

bool use(const sel4vm::GuestMemory &memory) { return memory.fetch<Descriptor>(sel4vm::Gpa{0x4000'0000}).has_value(); }
