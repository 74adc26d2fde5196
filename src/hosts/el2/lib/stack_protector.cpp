// SPDX-License-Identifier: BSD-2-Clause
//
// Debian builds libfdt with a stack protector. The device tree is parsed before any guest runs, so a constant does as
// the guard: it finds an overrun, and nobody is there to guess it.
#include <sel4vm/base/assert.hpp>

#include <cstdint>

extern "C" {
extern const std::uintptr_t __stack_chk_guard;
const std::uintptr_t __stack_chk_guard = 0x00d1'a2f3'5b7c'9e0a;
[[noreturn]] void __stack_chk_fail() { SEL4VM_PANIC("a function overran its stack frame"); }
}
