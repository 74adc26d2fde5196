// SPDX-License-Identifier: BSD-2-Clause
//
// What the compiler and libstdc++'s headers call in a program without the C++ run-time library, and the end of everything. A program
// that links a C++ run-time library of its own has these from there: hence weak.
#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/types.hpp>

extern "C" {
#include <stdio.h>
#include <stdlib.h>
}

namespace sel4vm {

void panic(const char *message, const char *file, unsigned line) {
    printf("sel4vm: panic: %s (%s:%u)\n", message, file, line);
    abort();
}

} // namespace sel4vm

namespace std {

// The names and signatures are libstdc++'s (bits/functexcept.h).
[[noreturn]] void __throw_out_of_range_fmt(const char *format, ...);
[[noreturn]] void __throw_length_error(const char *message);

[[gnu::weak]] void __throw_out_of_range_fmt(const char *format, ...) {
    ::sel4vm::panic(format, "a standard header", 0);
}
[[gnu::weak]] void __throw_length_error(const char *message) { ::sel4vm::panic(message, "a standard header", 0); }

} // namespace std

extern "C" void __cxa_pure_virtual();
extern "C" [[gnu::weak]] void __cxa_pure_virtual() { SEL4VM_PANIC("a pure virtual function was called"); }

// Without SIMD registers the compiler calls this for std::popcount; libgcc's own may use them.
extern "C" int __popcountdi2(sel4vm::u64 value);
extern "C" [[gnu::weak]] int __popcountdi2(sel4vm::u64 value) {
    value -= value >> 1 & 0x5555'5555'5555'5555;
    value = (value & 0x3333'3333'3333'3333) + (value >> 2 & 0x3333'3333'3333'3333);
    value = (value + (value >> 4)) & 0x0f0f'0f0f'0f0f'0f0f;
    return static_cast<int>(value * 0x0101'0101'0101'0101 >> 56);
}
