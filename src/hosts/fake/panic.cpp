// SPDX-License-Identifier: BSD-2-Clause
//
// The fake host's end of everything: print and abort, so that sanitizers and fuzzers see it.
#include <sel4vm/base/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace sel4vm {

void panic(const char *message, const char *file, unsigned line) {
    std::fprintf(stderr, "panic: %s (%s:%u)\n", message, file, line);
    std::abort();
}

} // namespace sel4vm
