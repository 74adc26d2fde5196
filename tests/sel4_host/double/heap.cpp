// SPDX-License-Identifier: BSD-2-Clause
//
// The C library's heap as the seL4 host sees it.
#define SEL4_DOUBLE_HEAP
#include <sel4_host/double/heap.hpp>

#include <sel4_host/double/kernel.hpp>

#include <cerrno>
#include <cstdlib>

using sel4vm::sel4_double::Kernel;

extern "C" {

void *sel4_double_malloc(size_t size) {
    Kernel &kernel = Kernel::current();
    if (kernel.refusals.resource())
        return nullptr;
    ++kernel.heap_blocks;
    return std::malloc(size);
}

void *sel4_double_calloc(size_t count, size_t size) {
    Kernel &kernel = Kernel::current();
    if (kernel.refusals.resource())
        return nullptr;
    ++kernel.heap_blocks;
    return std::calloc(count, size);
}

int sel4_double_posix_memalign(void **block, size_t alignment, size_t size) {
    Kernel &kernel = Kernel::current();
    if (kernel.refusals.resource())
        return ENOMEM;
    ++kernel.heap_blocks;
    return posix_memalign(block, alignment, size);
}

void sel4_double_free(void *block) {
    if (block != nullptr)
        --Kernel::current().heap_blocks;
    std::free(block);
}

} // extern "C"
