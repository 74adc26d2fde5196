// SPDX-License-Identifier: BSD-2-Clause
//
// The end of a process that found a mistake of ours.
#include <sel4vm/base/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace sel4vm {

void panic(const char *message, const char *file, unsigned line) {
    std::fprintf(stderr, "sel4vm: panic: %s (%s:%u)\n", message, file, line);
    std::abort();
}

} // namespace sel4vm
