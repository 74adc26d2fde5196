// SPDX-License-Identifier: BSD-2-Clause
//
// Output of the C library for programs on the el2 host: everything goes to the console, unbuffered, whatever stream it is
// for. Names and meanings are the C standard's; there are no files and no formatted input.
#include <bindings/el2/program.hpp>
#include <hosts/el2/portable/c_format.hpp>

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace {

using sel4vm::u8;
using sel4vm::usize;
using sel4vm::el2::CharSink;
using sel4vm::el2::format_text;
using sel4vm::el2::Program;

void print(std::string_view text) { Program::current().print(text); }

class ConsoleSink final : public CharSink {
public:
    ~ConsoleSink() { flush(); }
    void put(char character) override {
        if (size_ == sizeof buffer_)
            flush();
        buffer_[size_++] = character;
    }

private:
    void flush() {
        print({buffer_, size_});
        size_ = 0;
    }
    char buffer_[80];
    usize size_ = 0;
};

class BufferSink final : public CharSink {
public:
    BufferSink(char *buffer, usize capacity) : buffer_(buffer), capacity_(capacity) {}
    void put(char character) override {
        if (size_ + 1 < capacity_)
            buffer_[size_++] = character;
    }
    void end() {
        if (capacity_ != 0)
            buffer_[size_] = '\0';
    }

private:
    char *buffer_;
    usize capacity_;
    usize size_ = 0;
};

} // namespace

extern "C" {

// Nobody looks into a stream. The headers' declarations are not constant, these objects are: hence the other names here.
extern FILE *const sel4vm_el2_stdin asm("stdin");
extern FILE *const sel4vm_el2_stdout asm("stdout");
extern FILE *const sel4vm_el2_stderr asm("stderr");
FILE *const sel4vm_el2_stdin = nullptr;
FILE *const sel4vm_el2_stdout = nullptr;
FILE *const sel4vm_el2_stderr = nullptr;

int vprintf(const char *format, std::va_list arguments) {
    ConsoleSink sink;
    return static_cast<int>(format_text(sink, format, arguments));
}

int vfprintf(FILE *, const char *format, std::va_list arguments) { return vprintf(format, arguments); }

int printf(const char *format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    const int count = vprintf(format, arguments);
    va_end(arguments);
    return count;
}

int fprintf(FILE *, const char *format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    const int count = vprintf(format, arguments);
    va_end(arguments);
    return count;
}

int vsnprintf(char *buffer, std::size_t capacity, const char *format, std::va_list arguments) {
    BufferSink sink(buffer, capacity);
    const usize count = format_text(sink, format, arguments);
    sink.end();
    return static_cast<int>(count);
}

int snprintf(char *buffer, std::size_t capacity, const char *format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    const int count = vsnprintf(buffer, capacity, format, arguments);
    va_end(arguments);
    return count;
}

int fputs(const char *text, FILE *) {
    print(text);
    return 0;
}

int puts(const char *text) {
    print(text);
    print("\n");
    return 0;
}

int putchar(int character) {
    const char byte = static_cast<char>(character);
    print({&byte, 1});
    return static_cast<u8>(byte);
}

int fputc(int character, FILE *) { return putchar(character); }
int putc(int character, FILE *) { return putchar(character); }

std::size_t fwrite(const void *bytes, std::size_t size, std::size_t count, FILE *) {
    print({static_cast<const char *>(bytes), size * count});
    return count;
}

int fflush(FILE *) { return 0; }

[[noreturn]] void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function) {
    printf("%s:%u: %s: assertion failed: %s\n", file, line, function, assertion);
    Program::current().exit(134);
}

} // extern "C"
