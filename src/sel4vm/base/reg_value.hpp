// SPDX-License-Identifier: BSD-2-Clause
//
// Hardware register values as types. A register names its fields with the bit numbers of its manual, both inclusive;
// reading a field of another register does not compile, and overlapping fields are found by disjoint<>().
// Deliberately not C++ bit-fields: their layout is the compiler's choice.
#pragma once

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/types.hpp>

#include <concepts>
#include <type_traits>

namespace sel4vm {

template <class Self, std::unsigned_integral RawT>
class RegValue {
public:
    using Raw = RawT;
    static constexpr unsigned kBits = sizeof(Raw) * 8;

    /// Bits Hi..Lo, read as T: a bool for one bit, the raw type otherwise, or an enumeration given by the register.
    template <unsigned Hi, unsigned Lo = Hi, class T = std::conditional_t<Hi == Lo, bool, Raw>>
    struct Field {
        static_assert(Hi >= Lo && Hi < kBits, "field outside the register");
        using Owner = RegValue;
        using Type = T;
        static constexpr unsigned shift = Lo;
        static constexpr Raw max = static_cast<Raw>(static_cast<Raw>(~Raw{0}) >> (kBits - 1 - (Hi - Lo)));
        static constexpr Raw mask = static_cast<Raw>(max << Lo);
    };

    constexpr RegValue() = default;
    constexpr explicit RegValue(Raw raw) : raw_(raw) {}
    [[nodiscard]] constexpr Raw raw() const { return raw_; }

    template <class F>
        requires std::same_as<typename F::Owner, RegValue>
    [[nodiscard]] constexpr typename F::Type get() const {
        return static_cast<typename F::Type>((raw_ >> F::shift) & F::max);
    }

    /// The value with one field replaced. A field value that does not fit is our bug and panics.
    template <class F>
        requires std::same_as<typename F::Owner, RegValue>
    [[nodiscard]] constexpr Self with(typename F::Type value) const {
        const Raw field = static_cast<Raw>(value);
        SEL4VM_ASSERT(field <= F::max);
        return Self{static_cast<Raw>((raw_ & static_cast<Raw>(~F::mask)) | static_cast<Raw>(field << F::shift))};
    }

    friend constexpr bool operator==(RegValue, RegValue) = default;

private:
    Raw raw_ = 0;
};

/// True when no two of the fields share a bit; for static_assert next to a register's definition.
template <class... F>
constexpr bool disjoint() {
    u64 seen = 0;
    bool ok = true;
    ((ok = ok && (seen & F::mask) == 0, seen |= F::mask), ...);
    return ok;
}

} // namespace sel4vm
