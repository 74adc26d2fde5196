// SPDX-License-Identifier: BSD-2-Clause
//
// Result<T, E>: a value or an error, never ignored. A thin wrapper over tl::expected that adds what version 1.0
// lacks: [[nodiscard]], and access that panics instead of reading the wrong member. E is a small trivially copyable
// error value; T may be move-only. Not an exception substitute: no conversion between unrelated error types happens.
#pragma once

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/types.hpp>

#include <concepts>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace sel4vm {

/// The error side of a Result: `return Err{MemoryError::unmapped};`
template <class E>
struct Err {
    E value;
};
template <class E>
Err(E) -> Err<E>;

/// The value of a Result that carries none.
struct Ok {};

template <class T, class E>
class [[nodiscard]] Result {
    static_assert(!std::is_reference_v<T>, "return a pointer instead of a reference");
    static_assert(std::is_trivially_copyable_v<E>, "an error is a small value");

public:
    using Value = T;
    using Error = E;

    // Converting by design: `return value;` and `return Err{...};` are what makes a Result pleasant to write.
    // NOLINTBEGIN(google-explicit-constructor)
    constexpr Result(T value) : impl_(std::move(value)) {}
    template <std::convertible_to<E> X>
    constexpr Result(Err<X> error) : impl_(tl::unexpect, static_cast<E>(error.value)) {}
    // NOLINTEND(google-explicit-constructor)

    [[nodiscard]] constexpr bool has_value() const { return impl_.has_value(); }
    constexpr explicit operator bool() const { return impl_.has_value(); }

    constexpr T &operator*() & {
        check(impl_.has_value(), "Result holds an error, not a value");
        return *impl_;
    }
    constexpr const T &operator*() const & {
        check(impl_.has_value(), "Result holds an error, not a value");
        return *impl_;
    }
    constexpr T &&operator*() && {
        check(impl_.has_value(), "Result holds an error, not a value");
        return std::move(*impl_);
    }
    constexpr T *operator->() { return &**this; }
    constexpr const T *operator->() const { return &**this; }

    [[nodiscard]] constexpr E error() const {
        check(!impl_.has_value(), "Result holds a value, not an error");
        return impl_.error();
    }
    [[nodiscard]] constexpr T value_or(T other) const & { return impl_.has_value() ? *impl_ : std::move(other); }

private:
    static constexpr void check(bool ok, const char *message) {
        if (!ok) [[unlikely]]
            SEL4VM_PANIC(message);
    }
    tl::expected<T, E> impl_;
};

/// Of a 64-bit number and an error code: two words in one, which a function returns in registers. A union with a flag would go through
/// memory each time, on the path of every access to a device's register.
template <std::integral T, class E>
    requires(sizeof(T) == 8 && std::is_enum_v<E> && sizeof(E) < 8)
class [[nodiscard]] Result<T, E> {
public:
    using Value = T;
    using Error = E;

    // NOLINTBEGIN(google-explicit-constructor)
    constexpr Result(T value) : words_(static_cast<u64>(value)) {}
    template <std::convertible_to<E> X>
    constexpr Result(Err<X> error) : words_(Words{1 + static_cast<u64>(static_cast<E>(error.value))} << 64) {}
    // NOLINTEND(google-explicit-constructor)

    [[nodiscard]] constexpr bool has_value() const { return words_ >> 64 == 0; }
    constexpr explicit operator bool() const { return has_value(); }

    [[nodiscard]] constexpr T operator*() const {
        check(has_value(), "Result holds an error, not a value");
        return static_cast<T>(words_);
    }
    [[nodiscard]] constexpr E error() const {
        check(!has_value(), "Result holds a value, not an error");
        return static_cast<E>(static_cast<u64>(words_ >> 64) - 1);
    }
    [[nodiscard]] constexpr T value_or(T other) const { return has_value() ? static_cast<T>(words_) : other; }

private:
    __extension__ using Words = unsigned __int128; // the value, and above it 1 + the error, or 0

    static constexpr void check(bool ok, const char *message) {
        if (!ok) [[unlikely]]
            SEL4VM_PANIC(message);
    }
    Words words_;
};

/// Of nothing and an error code: one word, for the same reason.
template <class E>
    requires(std::is_enum_v<E> && sizeof(E) < 8)
class [[nodiscard]] Result<Ok, E> {
public:
    using Value = Ok;
    using Error = E;

    // NOLINTBEGIN(google-explicit-constructor)
    constexpr Result(Ok) {}
    template <std::convertible_to<E> X>
    constexpr Result(Err<X> error) : word_(1 + static_cast<u64>(static_cast<E>(error.value))) {}
    // NOLINTEND(google-explicit-constructor)

    [[nodiscard]] constexpr bool has_value() const { return word_ == 0; }
    constexpr explicit operator bool() const { return has_value(); }

    constexpr Ok operator*() const {
        check(has_value(), "Result holds an error, not a value");
        return {};
    }
    [[nodiscard]] constexpr E error() const {
        check(!has_value(), "Result holds a value, not an error");
        return static_cast<E>(word_ - 1);
    }

private:
    static constexpr void check(bool ok, const char *message) {
        if (!ok) [[unlikely]]
            SEL4VM_PANIC(message);
    }
    u64 word_ = 0; // 1 + the error, or 0
};

template <class E>
using Status = Result<Ok, E>;

} // namespace sel4vm

/// Evaluates to the value of a Result, or returns its error from the enclosing function.
#define SEL4VM_TRY(expression)                         \
    __extension__({                                    \
        auto sel4vm_try_ = (expression);               \
        if (!sel4vm_try_) [[unlikely]]                 \
            return ::sel4vm::Err{sel4vm_try_.error()}; \
        *std::move(sel4vm_try_);                       \
    })
