// SPDX-License-Identifier: BSD-2-Clause
//
// Result<T, E>: a value or an error, never ignored. A thin wrapper over tl::expected that adds what version 1.0
// lacks: [[nodiscard]], and access that panics instead of reading the wrong member. E is a small trivially copyable
// error value; T may be move-only. Not an exception substitute: no conversion between unrelated error types happens.
#pragma once

#include <sel4vm/base/assert.hpp>

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
