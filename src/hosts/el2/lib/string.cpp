// SPDX-License-Identifier: BSD-2-Clause
//
// The rest of the C library that the target needs: what libfdt and the compiler call, and no more. Plain loops; the names
// and meanings are the C standard's.
#include <sel4vm/base/assert.hpp>

#include <cstddef>
#include <cstdint>

// GCC would turn the loop of strlen() into a call of strlen().
#pragma GCC optimize("no-tree-loop-distribute-patterns")

extern "C" {

int memcmp(const void *a, const void *b, std::size_t n) {
    const auto *x = static_cast<const unsigned char *>(a);
    const auto *y = static_cast<const unsigned char *>(b);
    for (; n != 0; --n, ++x, ++y) {
        if (*x != *y)
            return *x < *y ? -1 : 1;
    }
    return 0;
}

void *memchr(const void *s, int c, std::size_t n) {
    const auto *p = static_cast<const unsigned char *>(s);
    for (; n != 0; --n, ++p) {
        if (*p == static_cast<unsigned char>(c))
            return const_cast<unsigned char *>(p);
    }
    return nullptr;
}

std::size_t strlen(const char *s) {
    const char *p = s;
    while (*p != '\0')
        ++p;
    return static_cast<std::size_t>(p - s);
}

std::size_t strnlen(const char *s, std::size_t n) {
    std::size_t i = 0;
    while (i < n && s[i] != '\0')
        ++i;
    return i;
}

int strncmp(const char *a, const char *b, std::size_t n) {
    for (; n != 0; --n, ++a, ++b) {
        const auto x = static_cast<unsigned char>(*a);
        const auto y = static_cast<unsigned char>(*b);
        if (x != y)
            return x < y ? -1 : 1;
        if (x == 0)
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, SIZE_MAX); }

char *strchr(const char *s, int c) {
    for (;; ++s) {
        if (*s == static_cast<char>(c))
            return const_cast<char *>(s);
        if (*s == '\0')
            return nullptr;
    }
}

char *strrchr(const char *s, int c) {
    const char *last = nullptr;
    for (;; ++s) {
        if (*s == static_cast<char>(c))
            last = s;
        if (*s == '\0')
            return const_cast<char *>(last);
    }
}

/// The entry of a pure virtual function: called only by a bug.
[[noreturn]] void __cxa_pure_virtual() { SEL4VM_PANIC("pure virtual function called"); }

} // extern "C"
