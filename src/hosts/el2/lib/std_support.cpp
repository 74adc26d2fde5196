// SPDX-License-Identifier: BSD-2-Clause
//
// What libstdc++'s headers call instead of throwing, where a check of theirs fails. Ours never do; so it is our bug.
#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/types.hpp>

namespace std {

// The names and signatures are libstdc++'s (bits/functexcept.h).
[[noreturn]] void __throw_out_of_range_fmt(const char *format, ...);
[[noreturn]] void __throw_length_error(const char *message);

void __throw_out_of_range_fmt(const char *format, ...) { ::sel4vm::panic(format, "a standard header", 0); }
void __throw_length_error(const char *message) { ::sel4vm::panic(message, "a standard header", 0); }

} // namespace std

// Without SIMD registers the compiler calls this for std::popcount; libgcc's own may use them.
extern "C" int __popcountdi2(sel4vm::u64 value);
extern "C" int __popcountdi2(sel4vm::u64 value) {
    value -= value >> 1 & 0x5555'5555'5555'5555;
    value = (value & 0x3333'3333'3333'3333) + (value >> 2 & 0x3333'3333'3333'3333);
    value = (value + (value >> 4)) & 0x0f0f'0f0f'0f0f'0f0f;
    return static_cast<int>(value * 0x0101'0101'0101'0101 >> 56);
}
