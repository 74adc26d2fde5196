// SPDX-License-Identifier: BSD-2-Clause
//
// Memory, numbers and the end of a program, for C programs on the el2 host. Blocks come from the host's heap, with their size in
// front of them.
#include <bindings/el2/program.hpp>

#include <cstddef>
#include <cstring>
#include <limits>
#include <new>

namespace {

using sel4vm::u64;
using sel4vm::u8;
using sel4vm::usize;
using sel4vm::el2::Program;

constexpr usize kAlignment = 16;
constexpr usize kHeaderBytes = 16;

struct Header {
    usize whole_bytes;
};

Header &header_of(void *block) {
    // SAFETY: malloc() made it there.
    return *reinterpret_cast<Header *>(static_cast<u8 *>(block) - kHeaderBytes);
}

int digit_of(char character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'z')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'Z')
        return character - 'A' + 10;
    return 36;
}

} // namespace

extern "C" {

void *malloc(std::size_t size) {
    if (size > std::numeric_limits<std::size_t>::max() - kHeaderBytes)
        return nullptr;
    const usize whole = size + kHeaderBytes;
    void *at = Program::current().host().heap().allocate(whole, kAlignment);
    if (at == nullptr)
        return nullptr;
    ::new (at) Header{whole};
    return static_cast<u8 *>(at) + kHeaderBytes;
}

void free(void *block) {
    if (block == nullptr)
        return;
    Header &header = header_of(block);
    Program::current().host().heap().deallocate(&header, header.whole_bytes, kAlignment);
}

void *calloc(std::size_t count, std::size_t size) {
    if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size)
        return nullptr;
    // volatile: the compiler must not see that this is what calloc() does.
    void *(*volatile allocate)(std::size_t) = malloc;
    void *block = allocate(count * size);
    if (block != nullptr)
        std::memset(block, 0, count * size);
    return block;
}

void *realloc(void *block, std::size_t size) {
    if (block == nullptr)
        return malloc(size);
    const usize before = header_of(block).whole_bytes - kHeaderBytes;
    void *moved = malloc(size);
    if (moved == nullptr)
        return nullptr;
    std::memcpy(moved, block, before < size ? before : size);
    free(block);
    return moved;
}

[[noreturn]] void exit(int status) { Program::current().exit(status); }
[[noreturn]] void _Exit(int status) { Program::current().exit(status); }
[[noreturn]] void abort() { Program::current().exit(134); }

unsigned long strtoul(const char *text, char **end, int base) {
    const char *at = text;
    while (*at == ' ' || (*at >= '\t' && *at <= '\r'))
        ++at;
    const bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        ++at;
    const bool hex = at[0] == '0' && (at[1] == 'x' || at[1] == 'X') && digit_of(at[2]) < 16;
    if ((base == 0 || base == 16) && hex) {
        at += 2;
        base = 16;
    } else if (base == 0) {
        base = *at == '0' ? 8 : 10;
    }
    const char *const first = at;
    u64 value = 0;
    bool too_large = false;
    for (; digit_of(*at) < base; ++at) {
        too_large = too_large || __builtin_mul_overflow(value, static_cast<u64>(base), &value) ||
                    __builtin_add_overflow(value, static_cast<u64>(digit_of(*at)), &value);
    }
    if (end != nullptr)
        *end = const_cast<char *>(at == first ? text : at);
    if (too_large)
        return std::numeric_limits<unsigned long>::max();
    return negative ? ~value + 1 : value;
}

long strtol(const char *text, char **end, int base) { return static_cast<long>(strtoul(text, end, base)); }
int atoi(const char *text) { return static_cast<int>(strtol(text, nullptr, 10)); }

char *strdup(const char *text) {
    const usize size = std::strlen(text) + 1;
    void *copy = malloc(size);
    return static_cast<char *>(copy == nullptr ? nullptr : std::memcpy(copy, text, size));
}

char *strcpy(char *to, const char *from) {
    std::memcpy(to, from, std::strlen(from) + 1);
    return to;
}

char *strncpy(char *to, const char *from, std::size_t size) {
    const usize length = strnlen(from, size);
    std::memcpy(to, from, length);
    std::memset(to + length, 0, size - length);
    return to;
}

char *strcat(char *to, const char *from) {
    strcpy(to + std::strlen(to), from);
    return to;
}

// C++ has two functions of this name, C one.
char *sel4vm_el2_strstr(const char *text, const char *part) asm("strstr");
char *sel4vm_el2_strstr(const char *text, const char *part) {
    const usize size = std::strlen(part);
    for (; std::strncmp(text, part, size) != 0; ++text) {
        if (*text == '\0')
            return nullptr;
    }
    return const_cast<char *>(text);
}

} // extern "C"
