// SPDX-License-Identifier: BSD-2-Clause
//
// Text in a fixed buffer, for log lines, panics and configuration errors on targets without a C library. Appends
// numbers and strings; what does not fit is cut and the last character becomes '~'. Deliberately no format strings.
#pragma once

#include <sel4vm/base/types.hpp>

#include <string_view>

namespace sel4vm {

struct Hex {
    u64 value;
};

/// Writes into memory of the caller.
class TextWriter {
public:
    /// `size` characters are there already.
    constexpr TextWriter(char *buffer, usize capacity, usize size = 0)
        : buffer_(buffer), capacity_(capacity), size_(size) {}

    // Not inline: text is for people, and each use would otherwise be a loop of its own in the image.
    [[gnu::noinline]] constexpr TextWriter &operator<<(std::string_view text) {
        for (const char c : text)
            put(c);
        return *this;
    }
    constexpr TextWriter &operator<<(const char *text) { return *this << std::string_view(text); }
    constexpr TextWriter &operator<<(char c) {
        put(c);
        return *this;
    }
    [[gnu::noinline]] constexpr TextWriter &operator<<(u64 number) {
        char digits[20] = {};
        usize n = 0;
        do {
            digits[n++] = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number != 0);
        while (n > 0)
            put(digits[--n]);
        return *this;
    }
    constexpr TextWriter &operator<<(u32 number) { return *this << u64{number}; }
    constexpr TextWriter &operator<<(u16 number) { return *this << u64{number}; }
    constexpr TextWriter &operator<<(i32 number) {
        if (number < 0)
            put('-');
        return *this << static_cast<u64>(number < 0 ? -static_cast<i64>(number) : static_cast<i64>(number));
    }
    [[gnu::noinline]] constexpr TextWriter &operator<<(Hex hex) {
        *this << "0x";
        int shift = 60;
        while (shift > 0 && (hex.value >> shift) == 0)
            shift -= 4;
        for (; shift >= 0; shift -= 4)
            put("0123456789abcdef"[(hex.value >> shift) & 0xf]);
        return *this;
    }
    constexpr TextWriter &operator<<(Gpa gpa) { return *this << Hex{gpa.value()}; }

    [[nodiscard]] constexpr std::string_view view() const { return {buffer_, size_}; }

private:
    constexpr void put(char c) {
        if (size_ < capacity_)
            buffer_[size_++] = c;
        else if (capacity_ > 0)
            buffer_[capacity_ - 1] = '~';
    }
    char *buffer_;
    usize capacity_;
    usize size_;
};

/// A TextWriter that brings its own buffer.
template <usize Capacity>
class Text {
public:
    // The first two are no templates, which would be one function for each length of a literal.
    [[gnu::noinline]] constexpr Text &operator<<(std::string_view text) { return append(text); }
    [[gnu::noinline]] constexpr Text &operator<<(const char *text) { return append(std::string_view(text)); }
    template <class T>
    constexpr Text &operator<<(const T &item) {
        return append(item);
    }
    [[nodiscard]] constexpr std::string_view view() const { return {buffer_, size_}; }
    constexpr void clear() { size_ = 0; }

private:
    template <class T>
    constexpr Text &append(const T &item) {
        TextWriter writer(buffer_, Capacity, size_);
        writer << item;
        size_ = writer.view().size();
        return *this;
    }

    char buffer_[Capacity] = {};
    usize size_ = 0;
};

} // namespace sel4vm
