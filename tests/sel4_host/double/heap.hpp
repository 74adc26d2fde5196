// SPDX-License-Identifier: BSD-2-Clause
//
// Stands before the files that call the C library's heap for a VM (the build includes it there): those calls end in heap.cpp, which
// counts and refuses.
#pragma once

#include <cstddef>
#include <cstdlib>

extern "C" {
void *sel4_double_malloc(std::size_t size);
void *sel4_double_calloc(std::size_t count, std::size_t size);
int sel4_double_posix_memalign(void **block, std::size_t alignment, std::size_t size);
void sel4_double_free(void *block);
}

#ifndef SEL4_DOUBLE_HEAP
namespace std { // the calls name it
using ::sel4_double_calloc;
using ::sel4_double_free;
using ::sel4_double_malloc;
} // namespace std
#define calloc(count, size)                    sel4_double_calloc(count, size)
#define malloc(size)                           sel4_double_malloc(size)
#define posix_memalign(block, alignment, size) sel4_double_posix_memalign(block, alignment, size)
#define free(block)                            sel4_double_free(block)
#endif
