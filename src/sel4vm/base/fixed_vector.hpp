// SPDX-License-Identifier: BSD-2-Clause
//
// A vector with inline storage and a capacity fixed at compile time. Never allocates; a full vector is an answer.
#pragma once

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/types.hpp>

#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace sel4vm {

template <class T, usize Capacity>
class FixedVector {
public:
    constexpr FixedVector() {}
    /// Not more than fit, which only a program that names them one by one can know.
    constexpr FixedVector(std::initializer_list<T> elements) requires std::is_copy_constructible_v<T> {
        SEL4VM_ASSERT(elements.size() <= Capacity);
        for (const T &element : elements)
            std::construct_at(&slots_[size_++].value, element);
    }
    /// Copies element by element, where elements can be copied.
    constexpr FixedVector(const FixedVector &other) requires std::is_copy_constructible_v<T> { append_all(other); }
    constexpr FixedVector &operator=(const FixedVector &other) requires std::is_copy_constructible_v<T> {
        if (this != &other) {
            clear();
            append_all(other);
        }
        return *this;
    }
    constexpr ~FixedVector() { clear(); }

    [[nodiscard]] constexpr usize size() const { return size_; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
    [[nodiscard]] constexpr bool full() const { return size_ == Capacity; }
    [[nodiscard]] static constexpr usize capacity() { return Capacity; }

    /// The new element, or nullptr when the vector is full.
    template <class... Args>
    [[nodiscard]] constexpr T *emplace_back(Args &&...args) {
        if (full())
            return nullptr;
        return std::construct_at(&slots_[size_++].value, std::forward<Args>(args)...);
    }
    constexpr void pop_back() {
        SEL4VM_ASSERT(size_ > 0);
        std::destroy_at(&slots_[--size_].value);
    }
    /// Removes element `index`; the order of the others is kept.
    constexpr void erase(usize index) {
        SEL4VM_ASSERT(index < size_);
        for (usize i = index; i + 1 < size_; ++i)
            slots_[i].value = std::move(slots_[i + 1].value);
        pop_back();
    }
    /// Inserts before `index` and keeps the order; false when full.
    [[nodiscard]] constexpr bool insert(usize index, T value) {
        SEL4VM_ASSERT(index <= size_);
        if (full())
            return false;
        std::construct_at(&slots_[size_].value, std::move(value));
        ++size_;
        for (usize i = size_ - 1; i > index; --i)
            std::swap(slots_[i].value, slots_[i - 1].value);
        return true;
    }
    constexpr void clear() {
        while (size_ > 0)
            pop_back();
    }

    constexpr T &operator[](usize i) {
        SEL4VM_ASSERT(i < size_);
        return slots_[i].value;
    }
    constexpr const T &operator[](usize i) const {
        SEL4VM_ASSERT(i < size_);
        return slots_[i].value;
    }
    constexpr T *begin() { return &slots_[0].value; }
    constexpr T *end() { return begin() + size_; }
    constexpr const T *begin() const { return &slots_[0].value; }
    constexpr const T *end() const { return begin() + size_; }
    [[nodiscard]] constexpr std::span<T> view() { return {begin(), size_}; }
    [[nodiscard]] constexpr std::span<const T> view() const { return {begin(), size_}; }

private:
    constexpr void append_all(const FixedVector &other) {
        for (const T &element : other)
            std::construct_at(&slots_[size_++].value, element);
    }

    union Slot {
        constexpr Slot() {}
        constexpr ~Slot() {}
        T value;
    };
    Slot slots_[Capacity];
    usize size_ = 0;
};

} // namespace sel4vm
