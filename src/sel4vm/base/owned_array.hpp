// SPDX-License-Identifier: BSD-2-Clause
//
// An array whose length is chosen once, at build time of a VM, with its memory from an Allocator. Bounds are checked.
#pragma once

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/base/assert.hpp>

#include <memory>
#include <span>
#include <utility>

namespace sel4vm {

template <class T>
class OwnedArray {
public:
    OwnedArray() = default;
    /// `count` value-initialised elements; empty (and `operator bool` false) when memory is lacking.
    [[nodiscard]] static OwnedArray make(Allocator &allocator, usize count) {
        OwnedArray array;
        if (count == 0 || count > static_cast<usize>(-1) / kItemBytes)
            return array;
        void *block = allocator.allocate(count * kItemBytes, alignof(T));
        if (block == nullptr)
            return array;
        array.allocator_ = &allocator;
        array.count_ = count;
        array.items_ = static_cast<T *>(block);
        for (usize i = 0; i < count; ++i)
            ::new (static_cast<void *>(array.items_ + i)) T();
        return array;
    }
    OwnedArray(OwnedArray &&other) noexcept
        : allocator_(std::exchange(other.allocator_, nullptr)), items_(std::exchange(other.items_, nullptr)),
          count_(std::exchange(other.count_, 0)) {}
    OwnedArray &operator=(OwnedArray &&other) noexcept {
        if (this != &other) {
            reset();
            allocator_ = std::exchange(other.allocator_, nullptr);
            items_ = std::exchange(other.items_, nullptr);
            count_ = std::exchange(other.count_, 0);
        }
        return *this;
    }
    OwnedArray(const OwnedArray &) = delete;
    OwnedArray &operator=(const OwnedArray &) = delete;
    ~OwnedArray() { reset(); }

    explicit operator bool() const { return items_ != nullptr; }
    [[nodiscard]] usize size() const { return count_; }
    T &operator[](usize i) {
        SEL4VM_ASSERT(i < count_);
        return items_[i];
    }
    const T &operator[](usize i) const {
        SEL4VM_ASSERT(i < count_);
        return items_[i];
    }
    T *begin() { return items_; }
    T *end() { return items_ + count_; }
    const T *begin() const { return items_; }
    const T *end() const { return items_ + count_; }
    [[nodiscard]] std::span<T> view() { return {items_, count_}; }
    [[nodiscard]] std::span<const T> view() const { return {items_, count_}; }

private:
    void reset() {
        if (items_ == nullptr)
            return;
        for (usize i = count_; i > 0; --i)
            std::destroy_at(items_ + i - 1);
        allocator_->deallocate(items_, count_ * kItemBytes, alignof(T));
        items_ = nullptr;
        count_ = 0;
    }
    static constexpr usize kItemBytes = sizeof(T); // NOLINT(bugprone-sizeof-expression): an array of pointers is meant
    Allocator *allocator_ = nullptr;
    T *items_ = nullptr;
    usize count_ = 0;
};

} // namespace sel4vm
