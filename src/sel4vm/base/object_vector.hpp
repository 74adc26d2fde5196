// SPDX-License-Identifier: BSD-2-Clause
//
// Up to `Capacity` objects that are made one by one in an Allocator: they stay where they are, and take no room before they are there. For
// what could be many and mostly is few. Never shrinks.
#pragma once

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/base/assert.hpp>

namespace sel4vm {

template <class T, usize Capacity>
class ObjectVector {
public:
    /// Of pointers to objects, as if it were of objects.
    template <class Item>
    class Iterator {
    public:
        explicit Iterator(T *const *at) : at_(at) {}
        Item &operator*() const { return **at_; }
        Iterator &operator++() {
            ++at_;
            return *this;
        }
        friend bool operator==(const Iterator &, const Iterator &) = default;

    private:
        T *const *at_;
    };

    /// The allocator outlives it.
    explicit ObjectVector(Allocator &allocator) : allocator_(allocator) {}
    ~ObjectVector() {
        while (size_ > 0)
            static_cast<void>(Owned<T>::take(allocator_, objects_[--size_]));
    }
    ObjectVector(const ObjectVector &) = delete;
    ObjectVector &operator=(const ObjectVector &) = delete;

    [[nodiscard]] usize size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] bool full() const { return size_ == Capacity; }

    /// The new object, or nullptr when it is full or memory is lacking.
    template <class... Args>
    [[nodiscard]] T *emplace_back(Args &&...args) {
        if (full())
            return nullptr;
        T *object = Owned<T>::make(allocator_, std::forward<Args>(args)...).release();
        if (object != nullptr)
            objects_[size_++] = object;
        return object;
    }

    T &operator[](usize i) {
        SEL4VM_ASSERT(i < size_);
        return *objects_[i];
    }
    const T &operator[](usize i) const {
        SEL4VM_ASSERT(i < size_);
        return *objects_[i];
    }
    [[nodiscard]] Iterator<T> begin() { return Iterator<T>(objects_); }
    [[nodiscard]] Iterator<T> end() { return Iterator<T>(objects_ + size_); }
    [[nodiscard]] Iterator<const T> begin() const { return Iterator<const T>(objects_); }
    [[nodiscard]] Iterator<const T> end() const { return Iterator<const T>(objects_ + size_); }

private:
    Allocator &allocator_;
    T *objects_[Capacity] = {};
    usize size_ = 0;
};

} // namespace sel4vm
