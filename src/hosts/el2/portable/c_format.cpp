// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/c_format.hpp>

#include <cstddef>
#include <cstring>

namespace sel4vm::el2 {
namespace {

enum class Length : u8 { character, half, plain, word, double_word };

/// One conversion specification between % and its letter.
struct Conversion {
    bool left = false;
    bool zeros = false;
    bool plus = false;
    bool space = false;
    bool prefix = false;
    bool has_precision = false;
    usize width = 0;
    usize precision = 0;
    Length length = Length::plain;
};

class Printer {
public:
    explicit Printer(CharSink &sink) : sink_(sink) {}
    [[nodiscard]] usize count() const { return count_; }

    void put(char character) {
        sink_.put(character);
        ++count_;
    }
    void put(char character, usize times) {
        for (; times != 0; --times)
            put(character);
    }
    void text(const char *characters, usize size, const Conversion &how) {
        const usize padding = how.width > size ? how.width - size : 0;
        if (!how.left)
            put(' ', padding);
        for (usize i = 0; i < size; ++i)
            put(characters[i]);
        if (how.left)
            put(' ', padding);
    }
    void number(u64 value, unsigned base, const char *digits, const char *sign, const Conversion &how) {
        char reversed[24];
        usize size = 0;
        for (; value != 0; value /= base)
            reversed[size++] = digits[value % base];
        usize least = how.has_precision ? how.precision : 1;
        if (base == 8 && how.prefix && least <= size)
            least = size + 1;
        const usize sign_size = std::strlen(sign);
        usize zeros = least > size ? least - size : 0;
        const usize used = sign_size + zeros + size;
        usize padding = how.width > used ? how.width - used : 0;
        if (how.zeros && !how.left && !how.has_precision) {
            zeros += padding;
            padding = 0;
        }
        if (!how.left)
            put(' ', padding);
        for (usize i = 0; i < sign_size; ++i)
            put(sign[i]);
        put('0', zeros);
        while (size != 0)
            put(reversed[--size]);
        if (how.left)
            put(' ', padding);
    }

private:
    CharSink &sink_;
    usize count_ = 0;
};

constexpr const char *kLower = "0123456789abcdef";
constexpr const char *kUpper = "0123456789ABCDEF";

usize read_number(const char *&at) {
    usize value = 0;
    for (; *at >= '0' && *at <= '9'; ++at)
        value = value * 10 + static_cast<usize>(*at - '0');
    return value;
}

bool read_flag(char character, Conversion &how) {
    switch (character) {
    case '-': how.left = true; return true;
    case '0': how.zeros = true; return true;
    case '+': how.plus = true; return true;
    case ' ': how.space = true; return true;
    case '#': how.prefix = true; return true;
    default: return false;
    }
}

Length read_length(const char *&at) {
    switch (*at) {
    case 'h':
        if (*++at != 'h')
            return Length::half;
        ++at;
        return Length::character;
    case 'l':
        if (*++at != 'l')
            return Length::word;
        ++at;
        return Length::double_word;
    case 'z':
    case 'j':
    case 't': ++at; return Length::word;
    default: return Length::plain;
    }
}

/// The arguments, one place from which all are taken: a va_list that is handed on may not be used afterwards.
struct Arguments {
    std::va_list list;
    i64 signed_value(Length length) {
        switch (length) {
        case Length::character: return static_cast<signed char>(va_arg(list, int));
        case Length::half: return static_cast<short>(va_arg(list, int));
        case Length::plain: return va_arg(list, int);
        case Length::word: return va_arg(list, long);
        case Length::double_word: return va_arg(list, long long);
        }
        return 0;
    }
    u64 unsigned_value(Length length) {
        switch (length) {
        case Length::character: return static_cast<unsigned char>(va_arg(list, unsigned));
        case Length::half: return static_cast<unsigned short>(va_arg(list, unsigned));
        case Length::plain: return va_arg(list, unsigned);
        case Length::word: return va_arg(list, unsigned long);
        case Length::double_word: return va_arg(list, unsigned long long);
        }
        return 0;
    }
};

void convert_signed(Printer &out, i64 value, const Conversion &how) {
    const bool negative = value < 0;
    const u64 magnitude = negative ? ~static_cast<u64>(value) + 1 : static_cast<u64>(value);
    out.number(magnitude, 10, kLower, negative ? "-" : how.plus ? "+" : how.space ? " " : "", how);
}

/// False when the letter is not a conversion.
bool convert(Printer &out, char letter, Arguments &arguments, Conversion &how) {
    switch (letter) {
    case 'd':
    case 'i': convert_signed(out, arguments.signed_value(how.length), how); return true;
    case 'u': out.number(arguments.unsigned_value(how.length), 10, kLower, "", how); return true;
    case 'o': out.number(arguments.unsigned_value(how.length), 8, kLower, "", how); return true;
    case 'x':
    case 'X': {
        const u64 value = arguments.unsigned_value(how.length);
        const bool lower = letter == 'x';
        out.number(value, 16, lower ? kLower : kUpper, how.prefix && value != 0 ? (lower ? "0x" : "0X") : "", how);
        return true;
    }
    case 'p':
        // SAFETY: only the pointer's own value is looked at.
        out.number(reinterpret_cast<uptr>(va_arg(arguments.list, void *)), 16, kLower, "0x", how);
        return true;
    case 'c': {
        const char character = static_cast<char>(va_arg(arguments.list, int));
        out.text(&character, 1, how);
        return true;
    }
    case 's': {
        const char *text = va_arg(arguments.list, const char *);
        if (text == nullptr)
            text = "(null)";
        const usize size = how.has_precision ? strnlen(text, how.precision) : std::strlen(text);
        out.text(text, size, how);
        return true;
    }
    case '%': out.put('%'); return true;
    default: return false;
    }
}

} // namespace

usize format_text(CharSink &sink, const char *format, std::va_list list) {
    Printer out(sink);
    Arguments arguments;
    va_copy(arguments.list, list);
    for (const char *at = format; *at != '\0'; ++at) {
        if (*at != '%') {
            out.put(*at);
            continue;
        }
        const char *const start = at++;
        Conversion how;
        while (read_flag(*at, how))
            ++at;
        if (*at == '*') {
            const int width = va_arg(arguments.list, int);
            how.left = how.left || width < 0;
            how.width = static_cast<usize>(width < 0 ? -static_cast<i64>(width) : width);
            ++at;
        } else {
            how.width = read_number(at);
        }
        if (*at == '.') {
            ++at;
            how.has_precision = true;
            if (*at == '*') {
                const int precision = va_arg(arguments.list, int);
                how.has_precision = precision >= 0;
                how.precision = precision < 0 ? 0 : static_cast<usize>(precision);
                ++at;
            } else {
                how.precision = read_number(at);
            }
        }
        how.length = read_length(at);
        if (convert(out, *at, arguments, how))
            continue;
        for (const char *literal = start; literal != at; ++literal)
            out.put(*literal);
        if (*at == '\0')
            break;
        out.put(*at);
    }
    va_end(arguments.list);
    return out.count();
}

} // namespace sel4vm::el2
