// SPDX-License-Identifier: BSD-2-Clause
//
// A struct with padding is not put into guest memory: the padding would tell the guest what lay on our stack.
// EXPECT: (constraints not satisfied|no matching member function for call to 'put'|no matching function for call to .*put)
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

bool use(sel4vm::GuestMemory &memory) { return memory.put(sel4vm::Gpa{0x4000'0000}, Descriptor{}).has_value(); }
