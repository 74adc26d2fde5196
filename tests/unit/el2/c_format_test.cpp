// SPDX-License-Identifier: BSD-2-Clause
//
// Each format is compared with what the C library of this machine makes of it.
#include <hosts/el2/portable/c_format.hpp>

#include <gtest/gtest.h>

#include <climits>
#include <cstdarg>
#include <cstdio>
#include <string>

namespace sel4vm::el2 {
namespace {

struct StringSink final : CharSink {
    void put(char character) override { text += character; }
    std::string text;
};

[[gnu::format(printf, 1, 2)]] void expect_as_libc(const char *format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    StringSink sink;
    const usize count = format_text(sink, format, arguments);
    va_end(arguments);
    EXPECT_EQ(count, sink.text.size());

    char expected[256];
    va_start(arguments, format);
    std::vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    EXPECT_EQ(sink.text, expected) << format;
}

TEST(CFormat, IntegersComeOutAsTheCLibraryPrintsThem) {
    expect_as_libc("%d %i %u", -5, INT_MIN, UINT_MAX);
    expect_as_libc("%ld %lld %lu", LONG_MIN, LLONG_MAX, ULONG_MAX);
    expect_as_libc("%hhd %hd %hhu %hu", static_cast<signed char>(-1), static_cast<short>(-1),
                   static_cast<unsigned char>(255), static_cast<unsigned short>(65535));
    expect_as_libc("%zu %jd %td", static_cast<std::size_t>(7), static_cast<std::intmax_t>(-7),
                   static_cast<std::ptrdiff_t>(-9));
    expect_as_libc("%x %X %#x %#X %#x", 0xbeefu, 0xbeefu, 0xbeefu, 0xbeefu, 0u);
    expect_as_libc("%o %#o %#o", 8u, 8u, 0u);
}

TEST(CFormat, WidthPrecisionAndFlagsPadAsTheCLibraryDoes) {
    expect_as_libc("[%5d] [%-5d] [%05d] [%+d] [% d]", 42, 42, -42, 42, 42);
    expect_as_libc("[%.3d] [%8.3d] [%-8.3d] [%08x]", 7, 7, 7, 0xabcu);
    expect_as_libc("[%*d] [%-*d] [%.*d]", 6, 1, 6, 1, 4, 1);
    expect_as_libc("[%*d] [%.*d]", -6, 1, -1, 1);
    expect_as_libc("[%#08x] [%#8x]", 0x1fu, 0x1fu);
}

TEST(CFormat, CharactersStringsAndPointers) {
    expect_as_libc("%c [%3c] [%-3c] 100%%", 'a', 'b', 'c');
    expect_as_libc("%s [%8s] [%-8s] [%.2s]", "four", "four", "four", "four");
    int object = 0;
    expect_as_libc("%p", static_cast<void *>(&object));
}

TEST(CFormat, AnUnknownConversionStaysAsItIs) {
    StringSink sink;
    const auto print = [&sink](const char *format, ...) {
        std::va_list arguments;
        va_start(arguments, format);
        format_text(sink, format, arguments);
        va_end(arguments);
    };
    print("a%5yb%");
    EXPECT_EQ(sink.text, "a%5yb%");
}

} // namespace
} // namespace sel4vm::el2
