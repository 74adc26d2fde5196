// SPDX-License-Identifier: BSD-2-Clause
//
// Assertions for our own bugs. Never for anything a guest, a configuration or a host can cause: those are values
// (see result.hpp and docs/adr/0002-errors.md). They stay on in release builds.
#pragma once

namespace sel4vm {

/// Ends the program with a message. Each host defines it (a link-time port): it must not return, allocate or lock.
[[noreturn]] void panic(const char *message, const char *file, unsigned line);

} // namespace sel4vm

#define SEL4VM_PANIC(message) ::sel4vm::panic((message), __FILE__, __LINE__)

#define SEL4VM_ASSERT(condition)                           \
    do {                                                   \
        if (!(condition)) [[unlikely]]                     \
            SEL4VM_PANIC("assertion failed: " #condition); \
    } while (false)
